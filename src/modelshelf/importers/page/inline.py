"""What stands inside a line of Markdown: links, code, emphasis; and its text without them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import msgspec

References = dict[str, str]
"""Addresses by the names that a page gives them, in lower case."""

# every pattern stops at the character that could begin it anew, or is possessive: none goes back
_TARGET = r"\(\s{0,2}<?((?:[^()\s<>]++|\([^()\s<>]*+\))++)>?[^()\n]*+\)"
_IMAGE = re.compile(r"!\[([^\[\]]*+)\]" + _TARGET)
_CAPTION = re.compile(r"!\[([^\[\]]*+)\](?=\])")
_LINK = re.compile(r"\[([^\[\]]++)\](\s{0,2})" + _TARGET)
_NAMED = re.compile(r"\[([^\[\]]{1,500})\](?:\[([^\[\]]{0,200})\])?")
_TWICE = re.compile(r"\[([^\[\]]++)\]\[[^\[\]]*+\]")
_BARE = re.compile(
    r"(?<![\w/\"'=+])(?:(?:https?|ftp)://[^\s<>\"'`|\[\]{}\\^]{1,2000}|mailto:[^\s<>\"')]{1,300})"
)
_ANCHOR = re.compile(
    r"<a\b[^<>]*?\bhref\s*+=\s*+[\"']?([^\"'\s<>]++)[^<>]*+>([^<]*+)", re.IGNORECASE
)
_DEFINITION = re.compile(r"\[([^\[\]]{1,200})\]:\s*+<?([^\s<>]++)>?")
_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)([^`]++)\1(?!`)")
_TAG = re.compile(
    r"</?(?:a|abbr|b|br|center|code|dd|details|div|dl|dt|em|font|h[1-6]|hr|i|iframe|img|li|ol|p|pre|s"
    r"|small|span|strong|sub|summary|sup|t[dhr]|table|tbody|thead|tt|u|ul|video)\b[^<>]*>|<!--[^<>]*-->",
    re.IGNORECASE,
)
_STARS = re.compile(r"(?<![\d\\])\*{1,3}(?=\S)|(?<=[^\s\\])\*{1,3}(?!\d)")
_UNDERLINES = re.compile(r"(?<![\w\\])_{1,3}(?=\S)|(?<=[^\s\\])_{1,3}(?!\w)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bal\.)(?<!\bvs\.) (?=[^a-z])")


class Link(msgspec.Struct, frozen=True):
    """A link as written: the text that shows it (empty for a bare address), and where it goes."""

    text: str
    url: str
    line: int
    image: bool = False


def definition(line: str) -> tuple[str, str] | None:
    """The name and address of `[name]: address`."""
    found = _DEFINITION.match(line)
    return (found[1].strip().lower(), found[2]) if found else None


def links(text: str, line: int = 1, references: References | None = None) -> list[Link]:
    """Every link of `text`, which begins at `line`: in Markdown, in HTML, by reference, or bare.

    A picture that is a link gives its caption as the text of the link.
    """
    found: list[Link] = []
    if "[" in text:
        if "![" in text:
            found += _targets(_IMAGE, text, line, image=True)
            text = _CAPTION.sub(r"\1", _IMAGE.sub(r"\1", text))
        found += _targets(_LINK, text, line, image=False)
        text = _LINK.sub(_shown, text)
        if references:
            found += _named(text, line, references)
    if "<a" in text or "<A" in text:
        found += [Link(plain(m[2]), html.unescape(m[1]), n) for m, n in _at(_ANCHOR, text, line)]
        text = _ANCHOR.sub(r"\2", text)
    if "://" in text or "mailto:" in text:
        found += [Link("", _bounded(m[0]), n) for m, n in _at(_BARE, text, line)]
    return found


def code_spans(text: str) -> list[str]:
    """What stands between backticks, in order."""
    return [found[2].strip() for found in _CODE.finditer(text)] if "`" in text else []


def plain(text: str) -> str:
    """`text` as it is read: on one line, without marks; of links and pictures their texts."""
    if "[" in text:
        if "![" in text:
            text = _CAPTION.sub(r"\1", _IMAGE.sub(r"\1", text))
        text = _TWICE.sub(r"\1", _LINK.sub(_shown, text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    if "*" in text:
        text = _STARS.sub("", text)
    if "_" in text:
        text = _UNDERLINES.sub("", text)
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    return " ".join(text.replace("`", "").split())


def sentences(text: str) -> list[str]:
    """The sentences of Markdown `text`, plain."""
    return _SENTENCE.split(plain(text))


def _at(form: re.Pattern[str], text: str, line: int) -> Iterator[tuple[re.Match[str], int]]:
    """Each match with its line."""
    before = 0
    for found in form.finditer(text):
        line += text.count("\n", before, found.start())
        before = found.start()
        yield found, line


def _targets(form: re.Pattern[str], text: str, line: int, *, image: bool) -> list[Link]:
    return [
        Link(plain(m[1]), html.unescape(m[m.lastindex or 2]), number, image)
        for m, number in _at(form, text, line)
        if image or _is_link(m)
    ]


def _is_link(found: re.Match[str]) -> bool:
    """`[bird project] (https://…)` was meant as a link, `x[0] (see below)` was not."""
    return "://" in found[3] if found[2] else any(mark in found[3] for mark in "/.#:@")


def _shown(found: re.Match[str]) -> str:
    return found[1] if _is_link(found) else found[0]


def _named(text: str, line: int, references: References) -> list[Link]:
    pairs = (
        (m[1], references.get((m[2] or m[1]).strip().lower()), n)
        for m, n in _at(_NAMED, text, line)
    )
    return [Link(plain(shown), url, number) for shown, url, number in pairs if url]


def _bounded(url: str) -> str:
    """A bare address without the marks of the sentence that it ends."""
    url = url.rstrip(".,;:!?*_~")
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(".,;:!?*_~")
    return url
