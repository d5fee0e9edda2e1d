"""What changed from version to version, out of a page's changelog."""

from __future__ import annotations

import re
from textwrap import dedent

import msgspec

from modelshelf.importers.page.markdown import Page, Section
from modelshelf.package.catalogue import Found

NOTE_CHARACTERS = 20_000
VERSION_COUNT = 200

_LOG = re.compile(
    r"(?:\W|the\b|full\b)*(?:change[ -]?logs?|changes|release notes?|release history|version history|history"
    r"|what.?s new|updates)\W*$",
    re.IGNORECASE,
)
_NUMBER = r"v?(\d{1,6}(?:\.\d{1,6}){0,3}(?:[-.]?(?:a|b|rc|alpha|beta)\.?\d{0,3})?)"
_VERSION = re.compile(
    rf"\W{{0,4}}(?:(?:version|release|ver\.?)\s+{_NUMBER}|{_NUMBER})(?![\w.]*\w)(.*)$",
    re.IGNORECASE,
)
_POINT = re.compile(
    rf"[*_]{{0,3}}(?:(?:version|release)\s+{_NUMBER}|v{_NUMBER[2:]}|{_NUMBER}(?=[*_]{{0,3}}\s?[:\u2013\u2014]))"
    r"[*_]{0,3}\s*(?:\([^()]{0,40}\)\s*)?(?:[:\u2013\u2014-]|$)\s*",
    re.IGNORECASE,
)


class Notes(msgspec.Struct, frozen=True):
    """What the page says of each version, by its number as written (`2`, `1.2.0`), in the page's order.

    `text` is the whole changelog as Markdown, also where it names no versions.
    """

    versions: dict[str, str] = {}
    text: str = ""
    found: Found | None = None

    def of(self, version: str) -> str | None:
        """What is said of a version: `2` and `2.0.0` are the same."""
        wanted = _key(version)
        return next(
            (text for number, text in self.versions.items() if _key(number) == wanted), None
        )


def read(page: Page) -> Notes:
    """The changelog of a page; empty where it has none."""
    lines: list[str] = []
    versions: dict[str, str] = {}
    whole: list[str] = []
    inside = 0
    for number, section in enumerate(page.sections):
        is_log = bool(_LOG.match(section.title))
        version = _version(section.title, inside=bool(inside) and section.level > inside)
        if inside and section.level <= inside:
            inside = 0
        if not (is_log or version or inside):
            continue
        lines = lines or page.text.split("\n")
        body = _body(page.sections, number, lines)
        if is_log and not inside:
            inside = section.level or 1
            versions |= _points(body)
        elif version and len(versions) < VERSION_COUNT:
            versions.setdefault(version, body[:NOTE_CHARACTERS].rstrip())
        whole.append(f"{'#' * section.level} {section.title}\n\n{body}".rstrip())
    text = "\n\n".join(whole)[:NOTE_CHARACTERS].rstrip()
    said = {version: note for version, note in versions.items() if note}
    return Notes(said, text, Found("text")) if text else Notes()


def _version(title: str, *, inside: bool) -> str | None:
    """The number in a heading: `Version 2 (May 2020)`; a bare one counts only within a changelog."""
    found = _VERSION.match(title)
    if not found or (len(found[3]) > 40):
        return None
    return found[1] or (found[2] if inside else None)


def _body(sections: tuple[Section, ...], number: int, lines: list[str]) -> str:
    """What stands between a heading and the next one, as written."""
    end = sections[number + 1].line - 1 if number + 1 < len(sections) else len(lines)
    return dedent("\n".join(lines[sections[number].line : end])).strip()


def _points(body: str) -> dict[str, str]:
    """`v2 - what changed` and `* **1.2**: what changed`, a point or paragraph a version."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in body[:NOTE_CHARACTERS].split("\n"):
        bare = line.strip().removeprefix("*   ").removeprefix("* ").removeprefix("- ").strip()
        point = _POINT.match(bare)
        if point:
            version = next(filter(None, point.groups()), "")
            current = found.setdefault(version, [])
            current.append(bare[point.end() :])
        elif current is not None:
            current.append(line.strip())
    return {
        version: "\n".join(text).strip() for version, text in list(found.items())[:VERSION_COUNT]
    }


def _key(version: str) -> str:
    bare = version.strip().lower().removeprefix("v")
    while bare.endswith(".0"):
        bare = bare[:-2]
    return bare
