"""A table with one column a side: cells are wrapped and cut so that it fits the terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from modelshelf.cli.output import Output

_GAP = 2
_WIDEST_NAME = 26
_NARROWEST = 12
_LINES = 3
"""How many lines a cell may take before it is cut."""
_UNKNOWN_WIDTH = 100
"""Columns of what is no terminal."""


class Line(NamedTuple):
    """One row: `marked` are the cells to stand out; `quiet` where all cells say the same."""

    name: str
    cells: tuple[str, ...]
    marked: tuple[int, ...] = ()
    quiet: bool = False


class Section(NamedTuple):
    """Rows under a title; the first section is the head and has none."""

    title: str
    lines: tuple[Line, ...]


def columns(sections: Sequence[Section], output: Output) -> str:
    """The whole table as text; sides that find no room beside the others come in a table below."""
    every = [line for section in sections for line in section.lines]
    total = shutil.get_terminal_size((_UNKNOWN_WIDTH, 24)).columns
    left = min(max(len(line.name) for line in every), _WIDEST_NAME, total // 3)
    needs = [max(map(len, cells)) for cells in zip(*(line.cells for line in every), strict=True)]
    tables = []
    for start, end in _bands(needs, total - left):
        widths = [left, *_shared(needs[start:end], total - left - _GAP * (end - start))]
        tables.append(_table([_cut(each, start, end) for each in sections], widths, output))
    return "\n\n\n".join(tables)


def _bands(needs: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Which columns stand side by side: as many as have room, at least one."""
    bands, start, used = [], 0, 0
    for index, need in enumerate(needs):
        width = min(need, _NARROWEST) + _GAP
        if index > start and used + width > room:
            bands.append((start, index))
            start, used = index, 0
        used += width
    return [*bands, (start, len(needs))]


def _cut(section: Section, start: int, end: int) -> Section:
    return section._replace(
        lines=tuple(
            line._replace(
                cells=line.cells[start:end],
                marked=tuple(index - start for index in line.marked if start <= index < end),
            )
            for line in section.lines
        )
    )


def _table(sections: Sequence[Section], widths: Sequence[int], output: Output) -> str:
    parts = []
    for section in sections:
        lines = [text for line in section.lines for text in _row(line, widths, output)]
        title = [output.paint(section.title, "cyan")] if section.title else []
        parts.append("\n".join([*title, *lines]))
    return "\n\n".join(parts)


def _shared(needs: Sequence[int], room: int) -> list[int]:
    """Widths that fit into `room`: what the short ones do not need the long ones get."""
    widths = [0] * len(needs)
    for place, index in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        share = max(_NARROWEST, room // (len(needs) - place))
        widths[index] = min(needs[index], share)
        room -= widths[index]
    return widths


def _row(line: Line, widths: Sequence[int], output: Output) -> list[str]:
    wrapped = [_wrapped(text, w) for text, w in zip((line.name, *line.cells), widths, strict=True)]
    found = []
    for texts in zip_longest(*wrapped, fillvalue=""):
        padded = [text.ljust(width) for text, width in zip(texts, widths, strict=True)]
        padded[-1] = padded[-1].rstrip()
        for index in line.marked:
            padded[index + 1] = output.paint(padded[index + 1], "green")
        text = (" " * _GAP).join(padded).rstrip()
        found.append(output.paint(text, "dim") if line.quiet else text)
    return found


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(
        text, max(width, 1), max_lines=_LINES, placeholder="…", break_on_hyphens=False
    )
    return lines or [""]
