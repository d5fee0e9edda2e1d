"""Which other packages a page names, and the part that they play for its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from modelshelf.importers.page.code_flow import Flow, flows
from modelshelf.importers.page.inline import code_spans
from modelshelf.importers.page.markdown import Page, Paragraph
from modelshelf.package.catalogue import Found
from modelshelf.package.record import DependencyKind

HANDLE_CHARACTERS = 300
NAMED_COUNT = 500
"""Packages that a page names; what stands behind is not read."""

Part = Literal["preprocess", "base", "pipeline", "dependent", "alternative"]
"""Its output goes into this package; this package was made from it; this package's output goes into
it; it needs this package; it can be used instead, or is only mentioned."""
_PARTS: tuple[Part, ...] = ("preprocess", "base", "dependent", "pipeline", "alternative")

_QUOTED = re.compile(r"[\"']([^\"'\s]{3,300})[\"']")
_HANDLE = re.compile(r"[\w.+-]{1,100}(?:/[\w.+-]{1,100}){1,12}")
_VERSION = re.compile(r"/(\d{1,6})$")
_NAMED_SO = re.compile(r"pre-?process", re.IGNORECASE)
_PREPROCESS = re.compile(r"\bpre-?process", re.IGNORECASE)
_TO_PREPROCESS = re.compile(
    r".{0,30}\b(?:for|to|as) (?:the |a |an )?(?:\w+ )?pre-?process", re.IGNORECASE
)
_FOR_IT = re.compile(
    r"\bthis (?:model|module|package|savedmodel) (?:is|provides|does|implements)\b[^.]{0,80}\bpre-?process[^.]{0,80}\b(?:for|of)\b"
    r"|\bpre-?process\w{0,5} (?:model|module) for\b|\bcompanion (?:model )?(?:of|for)\b",
    re.IGNORECASE,
)
_BASE = re.compile(
    r"\b(?:initiali[sz]ed (?:from|with)|fine-?tuned (?:from|version of)|(?:is |are |was |were )?based (?:up)?on"
    r"|distill?(?:ed)? (?:from|version of)|converted from|exported from|derived from|obtained from"
    r"|(?:quantized|pruned|smaller|compressed|ported|tflite|lite) version of|starting from|built on(?: top of)?"
    r"|weights (?:of|from))\b(?!.{0,60}\b(?:paper|architecture|library)\b)",
    re.IGNORECASE,
)
_PIPELINE = re.compile(
    r"\boutputs? (?:of|from) this\b|\bas (?:the |an )?inputs? (?:to|of|for)\b|\bfed (?:in)?to\b|\bpassed (?:on )?to\b"
    r"|\bfollowed by\b|\bvocoder\b",
    re.IGNORECASE,
)
_PREPARES = re.compile(
    r"(?:[\w-]{1,20} ){0,2}pre-?process(?:ing|or)(?: model| module)? (?:for|of)\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?]\s")
_CLOSE_BEFORE, _CLOSE_BEHIND = 220, 120


class Related(msgspec.Struct, frozen=True):
    """Another package as the page names it: its handle, the version if it says one, its part."""

    handle: str
    part: Part
    version: str | None
    found: Found
    line: int

    @property
    def kind(self) -> DependencyKind | None:
        """The kind of dependency that it is; None where it is none."""
        return self.part if self.part in ("preprocess", "base", "pipeline") else None


class _Named(NamedTuple):
    handle: str
    version: str | None


def read(page: Page, own: Collection[str], known: Callable[[str], bool]) -> tuple[Related, ...]:
    """The packages that the page names, each once in the part that counts most, in the page's order.

    `own` are the handles of the page's package without version, `known` tells whether a text is
    the handle of a package: the end of an address, a text in code, or `owner/repository/entrypoint`
    of a call that is given two texts.
    """
    names = _Names(own, known, preprocesses=_preprocesses(page, own))
    every = [*_said(page, names), *_coded(page, names)]
    best: dict[str, Related] = {}
    for each in every[:NAMED_COUNT]:
        before = best.get(each.handle)
        if before is None or _rank(each) < _rank(before):
            version = each.version or (before.version if before else None)
            best[each.handle] = msgspec.structs.replace(each, version=version)
    return tuple(sorted(best.values(), key=lambda each: each.line))


def _rank(related: Related) -> tuple[int, bool]:
    return _PARTS.index(related.part), related.found.unsure


class _Names:
    """Finds handles of packages in texts, and tells which are the page's own."""

    def __init__(
        self, own: Collection[str], known: Callable[[str], bool], *, preprocesses: bool
    ) -> None:
        self.preprocesses = preprocesses
        """Whether the page's own package is one that prepares the input of others."""
        self._own = frozenset(own)
        self._known = known

    def own(self, handle: str) -> bool:
        return handle in self._own

    def of(self, text: str) -> _Named | None:
        """The package that an address or handle names, with its version."""
        bare = _path(text)
        version = _VERSION.search(bare)
        short = bare[: version.start()] if version else bare
        if version and (short in self._own or self._known(short)):
            return _Named(short, version[1])
        return _Named(bare, None) if bare and (bare in self._own or self._known(bare)) else None

    def loaded(self, texts: Sequence[str]) -> _Named | None:
        """The package that a call loads which is given these texts."""
        if len(texts) > 1 and "://" not in texts[0]:
            repository = texts[0].partition(":")[0]
            for candidate in (f"{repository}/{texts[1]}", texts[1]):
                if candidate in self._own or self._known(candidate):
                    return _Named(candidate, None)
        return self.of(texts[0])


def _path(text: str) -> str:
    """What a handle can be of an address, or of a text: no host, no query, no slash at its ends."""
    if len(text) > HANDLE_CHARACTERS:
        return ""
    if "://" in text:
        text = text.partition("://")[2].partition("/")[2]
    text = text.partition("?")[0].partition("#")[0].strip("/ .")
    return text if _HANDLE.fullmatch(text) or "/" not in text else ""


def _said(page: Page, names: _Names) -> Iterator[Related]:
    """Mentions in sentences and tables."""
    paragraphs = {block.line: block for block in page.paragraphs if "/" in block.text}
    starts = sorted(paragraphs)
    position = 0
    for link in page.links:
        while position + 1 < len(starts) and starts[position + 1] <= link.line:
            position += 1
        named = names.of(link.url)
        if named and not names.own(named.handle):
            block = paragraphs.get(starts[position]) if starts else None
            yield _mention(named, block, link.url, link.line, names)
    for block in paragraphs.values():
        for span in code_spans(block.text):
            named = names.of(span) if "/" in span else None
            if named and not names.own(named.handle):
                yield _mention(named, block, span, block.line, names)


def _mention(
    named: _Named, block: Paragraph | None, written: str, line: int, names: _Names
) -> Related:
    """The part that the words around a mention, in its sentence, give it."""
    text = block.text if block else ""
    at = max(0, text.find(written))
    before = _SENTENCE_END.split(text[max(0, at - _CLOSE_BEFORE) : at])[-1]
    behind = _SENTENCE_END.split(text[at + len(written) : at + len(written) + _CLOSE_BEHIND])[0]
    before = " ".join(before.split())
    part, unsure = _part(before, " ".join(behind.split()), named, names)
    return Related(named.handle, part, named.version, Found("text", unsure), line)


def _part(before: str, behind: str, named: _Named, names: _Names) -> tuple[Part, bool]:
    if _FOR_IT.search(before):
        return "dependent", False
    prepares = bool(_NAMED_SO.search(named.handle))
    if prepares or _PREPROCESS.search(before[-80:]) or _TO_PREPROCESS.match(behind):
        if not names.preprocesses:
            return "preprocess", False
        return ("alternative" if prepares else "dependent"), True
    if _BASE.search(before):
        return "base", False
    if _PIPELINE.search(before) or _PIPELINE.search(behind):
        return "pipeline", True
    return "alternative", False


def _preprocesses(page: Page, own: Collection[str]) -> bool:
    """Whether a page is about a package that prepares input: by its handle, or its first sentence."""
    first = next((block.text for block in page.paragraphs), "")
    opening = " ".join(first[:300].split()).partition(". ")[0]
    return any(map(_NAMED_SO.search, own)) or bool(_PREPARES.match(opening))


def _coded(page: Page, names: _Names) -> Iterator[Related]:
    """Packages that the example code loads, by where the data goes."""
    loaded: dict[str, tuple[_Named, int]] = {}
    for block in page.code:
        texts = _QUOTED.findall(block.text)
        for pair in zip(texts, [*texts[1:], ""], strict=False):
            named = names.loaded(pair)
            if named and not names.own(named.handle):
                loaded.setdefault(named.handle, (named, block.line))
    if not loaded:
        return

    def model_of(texts: Sequence[str]) -> str | None:
        named = names.loaded(texts)
        return named.handle if named else None

    for each in flows(page.code, model_of):
        if found := _flowing(each, names):
            other, part, unsure = found
            version = loaded[other][0].version if other in loaded else None
            yield Related(other, part, version, Found("code", unsure), each.line)
    for named, line in loaded.values():
        yield Related(named.handle, "alternative", named.version, Found("code", unsure=True), line)


def _flowing(flow: Flow, names: _Names) -> tuple[str, Part, bool] | None:
    """The other package of a flow, its part, and whether that is unsure.

    What an example does with this package's output is one way of many.
    """
    if names.own(flow.target) and not names.own(flow.source):
        return flow.source, "preprocess", False
    if names.own(flow.source) and not names.own(flow.target):
        return flow.target, "dependent" if names.preprocesses else "pipeline", True
    return None
