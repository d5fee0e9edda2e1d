"""The head of a page of the shape `# Kind handle`, a summary, `<!-- key: value -->` labels."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.importers.page.inline import plain

most_labels = 500
longest_value_characters = 2000
longest_summary_characters = 200

_FIRST = re.compile(r"#[ \t]{1,8}([A-Z][A-Za-z]{0,40})[ \t]{1,8}(\S{1,400})")
_LABEL = re.compile(r"<!--[ \t]{0,8}([a-z][a-z0-9_-]{0,60})[ \t]{0,8}:(.*)-->")
_INVISIBLE = re.compile(r"&(?:zwnj|zwj|shy|nbsp);|[\u00ad\u200b-\u200f\u2060\ufeff]")

Labels = dict[str, tuple[str, ...]]


class Sheet(NamedTuple):
    """One page: its kind and handle, the first paragraph, its labels, what stands below them."""

    kind: str
    handle: str
    summary: str
    labels: Labels
    text: str


def sheet(text: str) -> Sheet | None:
    """The page read; None where its first line is no `# Kind handle`.

    Labels count where they stand alone on a line outside of code; below the first heading they
    stay in the text as well.
    """
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    title = _FIRST.fullmatch(visible(lines[first]).strip()) if first < len(lines) else None
    if title is None:
        return None
    rest = lines[first + 1 :]
    end = next((n for n, line in enumerate(rest) if line.startswith(("#", "```"))), len(rest))
    summary, others = _paragraph([line for line in rest[:end] if not _is_label(line)])
    return Sheet(
        title[1],
        handle(title[2]),
        summary,
        labels(rest),
        "\n".join([*others, *rest[end:]]).strip("\n"),
    )


def labels(lines: list[str]) -> Labels:
    """Every label, its values in the order of the page, each once."""
    found: dict[str, dict[str, None]] = {}
    left, code = most_labels, False
    for line in lines:
        stripped = line.strip()
        if stripped.startswith("```"):
            code = not code
        match = None if code else _LABEL.fullmatch(stripped)
        value = match[2].strip()[:longest_value_characters] if match else ""
        if match and value and left:
            left -= 1
            found.setdefault(match[1].replace("_", "-"), {})[value] = None
    return {key: tuple(values) for key, values in found.items()}


def handle(text: str) -> str:
    """A handle as it was meant: without invisible characters and a stray folder `models`."""
    parts = [part for part in visible(text).strip().strip("`/").split("/") if part]
    if len(parts) > 2 and parts[1] == "models":
        del parts[1]
    return "/".join(parts)


def visible(text: str) -> str:
    """The text without characters that nobody sees."""
    return _INVISIBLE.sub("", text)


def values(written: tuple[str, ...]) -> tuple[str, ...]:
    """Each value of a label that may hold a list: commas outside of brackets part them."""
    return tuple(dict.fromkeys(part for text in written for part in _parted(text)))


def one_line(paragraph: str) -> tuple[str, bool]:
    """A paragraph as a summary of one line, and whether it had to be cut."""
    line = plain(visible(paragraph))
    if len(line) <= longest_summary_characters:
        return line, False
    whole = line[:longest_summary_characters].rfind(". ")
    if whole >= longest_summary_characters // 4:
        return line[: whole + 1], True
    kept = line[: longest_summary_characters - 1]
    return (kept.rpartition(" ")[0] or kept) + "…", True


def _is_label(line: str) -> bool:
    return bool(_LABEL.fullmatch(line.strip()))


def _paragraph(lines: list[str]) -> tuple[str, list[str]]:
    """The first paragraph of words, and the lines that are not in it."""
    start = next((n for n, line in enumerate(lines) if _is_words(line)), len(lines))
    end = start
    while end < len(lines) and _is_words(lines[end]):
        end += 1
    return "\n".join(lines[start:end]).strip(), [*lines[:start], *lines[end:]]


def _is_words(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(("[![", "![", "<", "|"))


def _parted(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]
