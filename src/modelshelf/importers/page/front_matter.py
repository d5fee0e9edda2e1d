"""Front matter: the flat `key: value` lines between `---` at the top of a page.

Pages are written by hand: the marks may be missing, values quoted in any way or continued on the
next line, keys repeated. What is no line of front matter is left to the page.
"""

from __future__ import annotations

import re
from typing import NamedTuple

most_lines = 200
most_values = 500
longest_value_characters = 2000
least_keys_without_mark = 2
"""One line with a colon and a rule below it is the heading of a text."""

_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,60})[ \t]{0,20}:(?:[ \t]+(.*)|[ \t]*)$")
_MARK = re.compile(r"-{3,}|\.{3}")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")
_QUOTES = (
    '""',
    "''",
    "``",
    "\u201c\u201d",
    "\u201d\u201d",
    "\u2018\u2019",
    "\u2019\u2019",
    "\u201e\u201c",
)
"""What opens and what closes a quotation, also as word processors write it."""
_BLOCK = ("|", ">", "|-", ">-", "|+", ">+")


class FrontMatter(NamedTuple):
    """What stood at the top, and the page below it.

    `labels` have their keys in lower case, each value once, in the order of the page. `body`
    keeps the lines of the page where they are: the front matter's are empty there. `broken` says
    what was missing.
    """

    labels: dict[str, tuple[str, ...]]
    body: str
    broken: str = ""

    def first(self, key: str) -> str:
        """The first value of `key`, empty where there is none."""
        return next(iter(self.labels.get(key, ())), "")


def split(text: str) -> FrontMatter:
    """Take the front matter off a page; without any, `labels` are empty."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    opened = first < len(lines) and bool(_MARK.fullmatch(lines[first].strip()))
    start = first + opened
    end, closed = _end(lines, start)
    labels = _labels(lines[start:end]) if opened or closed else {}
    if not opened and len(labels) < least_keys_without_mark:
        labels, closed = {}, False
    if not labels and not (opened and closed):
        return FrontMatter({}, "\n".join(lines), "no front matter")
    behind = end + closed
    broken = "" if opened and closed else f"no --- at its {'end' if opened else 'beginning'}"
    return FrontMatter(labels, "\n" * behind + "\n".join(lines[behind:]), broken)


def items(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each word of a label that may hold a list, with or without brackets: `vision, audio`."""
    found = (item.strip() for value in values for item in value.strip("[] ").split(","))
    return tuple(dict.fromkeys(item for item in found if item))


def _end(lines: list[str], start: int) -> tuple[int, bool]:
    """The line behind the last of the front matter, and whether a mark stands there.

    Without a mark it ends before the first empty line or heading.
    """
    behind = lines[start : start + most_lines]
    for number, line in enumerate(behind, start):
        if _MARK.fullmatch(line.strip()):
            return number, True
        if line.strip() and not _belongs(line):
            break
    plain = (n for n, line in enumerate(behind, start) if not line.strip() or line[0] == "#")
    other = (n for n, line in enumerate(behind, start) if line.strip() and not _belongs(line))
    last = start + len(behind)
    return min(next(plain, last), next(other, last)), False


def _belongs(line: str) -> bool:
    """Whether front matter may hold such a line: a key, something indented, a remark."""
    bare = line.strip()
    return bool(
        line[0] in " \t" or bare[0] == "#" or bare.startswith("<!--") or _KEY.match(line)
        or _ITEM.match(line)
    )  # fmt: skip


def _labels(lines: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for key, written in _entries(lines):
        for value in _values(written):
            if value and sum(map(len, found.values())) < most_values:
                found.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in found.items()}


def _entries(lines: list[str]) -> list[tuple[str, str]]:
    """Every key with what stands behind it, continued lines joined; items of a list are entries."""
    entries: list[tuple[str, str]] = []
    for line in lines:
        bare = line.strip()
        if not bare or bare.startswith(("#", "<!--")):
            continue
        key = _KEY.match(line)
        item = _ITEM.match(line)
        if key:
            value = (key[2] or "").strip()
            entries.append((key[1].lower(), "" if value in _BLOCK else value))
        elif entries and item:
            entries.append((entries[-1][0], item[1].strip()))
        elif entries:
            name, before = entries[-1]
            entries[-1] = (name, f"{before} {bare}".strip()[:longest_value_characters])
    return entries


def _values(written: str) -> list[str]:
    """`[a, b]` → its items; anything else is one value."""
    if written.startswith("[") and written.rstrip().endswith("]"):
        return [_unquoted(item) for item in written.strip()[1:-1].split(",")]
    return [_unquoted(written)]


def _unquoted(written: str) -> str:
    bare = written.strip()[:longest_value_characters]
    while len(bare) > 1 and bare[0] + bare[-1] in _QUOTES:
        bare = bare[1:-1].strip()
    return bare
