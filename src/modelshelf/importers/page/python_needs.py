"""What a page says must be installed: Python packages, frameworks and their versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from modelshelf.importers.page.inline import code_spans, sentences
from modelshelf.importers.page.markdown import Page, Paragraph
from modelshelf.package.catalogue import Found, Source
from modelshelf.package.python_needs import framework, requirement
from modelshelf.package.record import Requires

REQUIREMENT_COUNT = 100
COMMAND_COUNT = 200
COMMAND_CHARACTERS = 2000
SENTENCE_CHARACTERS = 1000

_COMMAND = re.compile(r"\bpip[\d.]{0,4} install\b")
_WORD = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s\"';&|`]+)|([;&|`\"'])")
_PINNED = re.compile(r"[A-Za-z][\w.-]{0,80}+(?:\[[\w, -]{0,80}\])?\s?(?:[<>=!~]=|<|>)")
_REPOSITORY = re.compile(
    r"git\+https?://[^\s#@]{1,200}/([\w.-]{1,80}?)(?:\.git)?(?:@[\w./-]{1,80})?"
)
_DIGIT = re.compile(r"\d")
_FLAGS_WITH_VALUE = frozenset((
    "-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f",
    "--find-links", "-t", "--target", "--prefix", "--root", "--src", "-e", "--editable", "--progress-bar",
    "--platform", "--python-version", "--upgrade-strategy", "--trusted-host", "--only-binary", "--no-binary",
))  # fmt: skip
_EGG = re.compile(r"#(?:.*&)?egg=([\w.-]{1,80})")
_WHEEL = re.compile(r"/([A-Za-z0-9_.]{1,80})-\d[\w.!+]{0,40}-[^/]{1,120}\.whl$")
_NEEDING = re.compile(
    r"\brequir|\bneeds?\b|\bdepends?\b|\bworks? with\b|\bfor use with\b|\bcompatible with\b|\binstall\b"
    r"|\bprerequisit",
    re.IGNORECASE,
)
_VERSIONED = re.compile(
    r"(?<![\w./-])([A-Za-z][\w.-]{0,40}+(?: [A-Z][\w-]{0,30}+){0,2}+)[ ,]{1,2}(?:versions? |v\.? ?)?"
    r"(\d{1,4}(?:\.\d{1,6}){0,3}(?:(?:a|b|rc)\d{1,3})?)(?!(?!\.x\b)[\w.]*\w)"
    r"(\+| ?(?:\(?(?:or|and) (?:newer|later|above|higher|greater|up|upwards)\b)|\.x)?"
    r"(?: \(or (\d{1,4}(?:\.\d{1,6}){0,3})\))?"
)
_LOGGED = re.compile(r"change ?log|release notes|history|version \d", re.IGNORECASE)
_ORDINARY = frozenset((
    "version", "versions", "step", "table", "figure", "section", "chapter", "fig", "equation", "top", "page",
    "least", "requires", "require", "with", "needs", "release", "appendix", "about", "around", "and", "or",
    "than", "of", "to", "in", "is", "are", "the", "for", "model", "models", "by", "at", "a", "an", "only",
))  # fmt: skip


class Needs(msgspec.Struct, frozen=True):
    """What must be there, and how each field of `requires` that is filled is known."""

    requires: Requires
    found: dict[str, Found]


class _Asked(NamedTuple):
    """A range that a sentence asks for."""

    name: str
    versions: str
    unsure: bool


def read(page: Page) -> Needs:
    """Python packages out of `pip install` and of sentences, frameworks and Python out of sentences.

    Requirements are PEP 508, versions PEP 440; `TensorFlow 2 (or 1.15)` asks for `>=1.15,<3`.
    """
    python, source = _python(page)
    frameworks: dict[str, _Asked] = {}
    interpreter: _Asked | None = None
    for asked in _asked(page):
        word = framework(asked.name)
        if word:
            frameworks.setdefault(word, asked)
        elif asked.name.lower() == "python":
            interpreter = interpreter or asked
        elif _is_distribution(asked.name):
            python.setdefault(_normal(asked.name), f"{_normal(asked.name)}{asked.versions}")
    found: dict[str, Found] = {}
    if python:
        found["python"] = Found(source)
    if interpreter:
        found["python_version"] = Found("text", interpreter.unsure)
    if frameworks:
        found["frameworks"] = Found("text", any(each.unsure for each in frameworks.values()))
    requires = Requires(
        python=tuple(python.values())[:REQUIREMENT_COUNT],
        python_version=interpreter.versions if interpreter else None,
        frameworks={word: asked.versions for word, asked in frameworks.items()},
    )
    return Needs(requires, found)


def _python(page: Page) -> tuple[dict[str, str], Source]:
    """Requirements by normal name, and where the first was found."""
    asked: dict[str, tuple[str, Source]] = {}
    for text in _commands(page):
        for word in _words(text):
            _add(asked, word, "code")
    for block in page.paragraphs:
        if "`" in block.text and _NEEDING.search(block.text):
            for span in code_spans(block.text):
                if _PINNED.match(span):
                    _add(asked, span, "text")
    sources = [source for _, source in asked.values()]
    return {name: text for name, (text, _) in asked.items()}, (sources[0] if sources else "code")


def _commands(page: Page) -> Iterator[str]:
    """What stands behind each `pip install`, to the end of its line."""
    texts = [block.text.replace("\\\n", " ") for block in page.code if "pip" in block.text]
    for block in page.paragraphs:
        if "pip" in block.text and "`" in block.text:
            texts += code_spans(block.text)
    lines = (line for text in texts for line in text.split("\n") if "pip" in line)
    for line in islice(lines, COMMAND_COUNT):
        for found in islice(_COMMAND.finditer(line), 5):
            yield line[found.end() : found.end() + COMMAND_CHARACTERS]


def _words(command: str) -> Iterator[str]:
    """The packages that a command names, without its flags and what they take."""
    skipped = False
    for found in _WORD.finditer(command):
        word = found[1] or found[2] or found[3] or ""
        if found[4] or word.startswith("#"):
            return
        if skipped:
            skipped = False
        elif word.startswith("-"):
            short = not word.startswith("--") and len(word) > 2
            skipped = word in _FLAGS_WITH_VALUE or (short and f"-{word[-1]}" in _FLAGS_WITH_VALUE)
        elif word:
            yield word


def _add(asked: dict[str, tuple[str, Source]], word: str, source: Source) -> None:
    """Remember a requirement that can be read; one with versions replaces one without."""
    parsed = requirement(_named(word))
    if parsed is None or len(asked) >= REQUIREMENT_COUNT:
        return
    name = _normal(parsed.name)
    parsed.name = name
    text = str(parsed)
    if name not in asked or (asked[name][0] == name and text != name):
        asked[name] = (text, source)


def _named(word: str) -> str:
    """An address as PEP 508 has it: `name @ address`; what is none stays as it is."""
    if "://" not in word or " @ " in word:
        return word
    found = _EGG.search(word) or _WHEEL.search(word) or _REPOSITORY.fullmatch(word)
    return f"{found[1]} @ {word}" if found else word


def _asked(page: Page) -> Iterator[_Asked]:
    """What sentences ask for, those of a changelog last."""
    logged: list[_Asked] = []
    for section in page.sections:
        is_log = any(map(_LOGGED.search, (*section.path, section.title)))
        texts = [section.title, *(b.text for b in section.blocks if isinstance(b, Paragraph))]
        for text in texts:
            if _NEEDING.search(text) and _DIGIT.search(text):
                for asked in _in(text):
                    if is_log:
                        logged.append(asked._replace(unsure=True))
                    else:
                        yield asked
    yield from logged


def _in(text: str) -> Iterator[_Asked]:
    for sentence in sentences(text):
        if not _NEEDING.search(sentence):
            continue
        for found in _VERSIONED.finditer(sentence[:SENTENCE_CHARACTERS]):
            words = found[1].split()
            while words and (words[0].lower() in _ORDINARY or (words[0].islower() and words[1:])):
                del words[0]
            if words:
                yield _range(" ".join(words), found[2], found[3] or "", found[4])


def _range(name: str, version: str, more: str, other: str | None) -> _Asked:
    """`2` → `>=2,<3`, `2.2 or newer` → `>=2.2`, `2 (or 1.15)` → `>=1.15,<3`; `2.4` alone is unsure."""
    if more == ".x":
        return _Asked(name, f"=={version}.*", unsure=False)
    if more:
        return _Asked(name, f">={version}", unsure=False)
    if other:
        lower, upper = sorted((version, other), key=_release)
        return _Asked(name, f">={lower},<{_release(upper)[0] + 1}", unsure=False)
    if version.isdigit():
        return _Asked(name, f">={version},<{int(version) + 1}", unsure=False)
    return _Asked(name, f">={version}", unsure=True)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit()) or (0,)


def _is_distribution(name: str) -> bool:
    """Whether a name is written as distributions are, and not as a word of a sentence."""
    return name.islower() and ("_" in name or "-" in name) and requirement(name) is not None


def _normal(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)
