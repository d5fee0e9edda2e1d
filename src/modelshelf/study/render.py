"""Answers for people and programs: aligned text, Markdown, CSV, JSON."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, zip_longest

from modelshelf.study.answer import Answer, Cell, Column, Difference, Kind, Table

WIDTH = 160
"""Letters of a line where nobody says how many the terminal has."""
_WIDEST = (44, 34, 26, 20, 14)
"""Letters of a cell of words before it is broken into lines: the first that lets the table fit."""
_GAP = "  "
_LEFT: tuple[Kind, ...] = ("text", "mark")
_MARKDOWN = re.compile(r"[\\|<>&*`\[\]]|(?<!\w)_|_(?!\w)")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Paint = Callable[[str, str], str]
"""Colours a text, where that can be shown."""


def plain(text: str, _colour: str) -> str:
    """The paint of what has no colours."""
    return text


def shown(kind: Kind, cell: Cell) -> str:
    """A cell for people."""
    if cell is None:
        return "" if kind == "text" else "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return " ".join(cell.split())
    if kind == "share":
        return f"{cell:.1f} %"
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.2f}".rstrip("0").rstrip(".")


def text(answer: Answer, paint: Paint = plain, width: int = WIDTH) -> str:
    """The whole answer for a terminal with `width` letters in a line."""
    parts = [paint(headline(answer), "bold")]
    parts += [part for table in answer.tables for part in _text_table(table, answer, paint, width)]
    parts += [_wrapped(note) for note in answer.notes]
    parts += [_text_differences(answer.differences, paint)] if answer.differences else []
    return "\n\n".join(part for part in parts if part)


def headline(answer: Answer) -> str:
    """`Table 3: task types (paper, 5.2.1)`."""
    return f"{answer.title} (paper, {answer.section})" if answer.section else answer.title


def _text_table(table: Table, answer: Answer, paint: Paint, width: int) -> Iterator[str]:
    if len(answer.tables) > 1:
        yield paint(table.title, "cyan")
    yield "\n".join(aligned(table, paint, width)) if table.rows else "(nothing)"
    yield from (_wrapped(note) for note in table.remarks)


def aligned(table: Table, paint: Paint = plain, width: int = WIDTH) -> Iterator[str]:
    """Lines: catalogues, then titles, then rows; numbers stand to the right."""
    cells = [[shown(c.kind, cell) for c, cell in _pairs(table, row)] for row in table.shown]
    every, widths = _broken([[column.title for column in table.columns], *cells], width)
    if any(column.group for column in table.columns):
        widths = _widened(table.columns, widths)
        yield paint(_groups(table.columns, widths), "dim")
    right = [column.kind not in _LEFT for column in table.columns]
    for number, row in enumerate(every):
        for lines in zip_longest(*row, fillvalue=""):
            line = _joined(lines, widths, right)
            yield paint(line, "bold") if number == 0 else line


def _broken(cells: Sequence[Sequence[str]], width: int) -> tuple[list[list[list[str]]], list[int]]:
    """Every cell in lines, and the width of each column then."""
    every: list[list[list[str]]] = []
    widths: list[int] = []
    for widest in _WIDEST:
        every = [
            [textwrap.wrap(cell, widest, break_on_hyphens=False) or [""] for cell in row]
            for row in cells
        ]
        widths = [
            max(len(line) for cell in column for line in cell)
            for column in zip(*every, strict=True)
        ]
        if sum(widths) + len(_GAP) * len(widths) <= width:
            break
    return every, widths


def _pairs(table: Table, row: Sequence[Cell]) -> list[tuple[Column, Cell]]:
    return list(zip(table.columns, row, strict=True))


def _joined(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return _GAP.join(padded).rstrip()


def _spans(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """Columns of one catalogue that stand side by side, by their places."""
    numbered = groupby(enumerate(columns), key=lambda pair: pair[1].group)
    return [(group, [place for place, _ in pairs]) for group, pairs in numbered]


def _widened(columns: Sequence[Column], widths: list[int]) -> list[int]:
    """Wide enough that the name of a catalogue has room above its columns."""
    found = list(widths)
    for group, places in _spans(columns):
        room = sum(found[place] for place in places) + len(_GAP) * (len(places) - 1)
        found[places[-1]] += max(0, len(group) - room)
    return found


def _groups(columns: Sequence[Column], widths: Sequence[int]) -> str:
    told = []
    for group, places in _spans(columns):
        room = sum(widths[place] for place in places) + len(_GAP) * (len(places) - 1)
        ruled = f" {group} ".center(room, "\u2500")
        told.append(ruled if group and room >= len(group) + 4 else group.ljust(room))
    return _GAP.join(text[: sum(widths) * 2] for text in told).rstrip()


def _wrapped(note: str) -> str:
    return textwrap.fill(note, 100)


def _text_differences(found: Sequence[Difference], paint: Paint) -> str:
    lines = [paint(summary(found), "cyan")]
    for why, each in grouped(found):
        most = 3 if why else 40
        lines += [
            _wrapped(f"{(why or 'open').rstrip('.')}:"),
            *(f"  {told(one)}" for one in each[:most]),
        ]
        lines += [f"  \u2026 and {len(each) - most} more"] if len(each) > most else []
    return "\n".join(lines)


def summary(found: Sequence[Difference]) -> str:
    """How many differences there are, and how many of them are open."""
    still = sum(each.why is None for each in found)
    return f"Differences from the paper: {len(found)}, of which {still} open"


def grouped(found: Sequence[Difference]) -> list[tuple[str | None, list[Difference]]]:
    """Differences by their reason, the open ones first."""
    reasons = sorted(dict.fromkeys(each.why for each in found), key=lambda why: why is not None)
    return [(why, [each for each in found if each.why == why]) for why in reasons]


def told(found: Difference) -> str:
    """One difference in a line."""
    ours, theirs = (shown("number", cell) for cell in (found.ours, found.paper))
    place = ", ".join(part for part in (found.catalogue, found.row, found.column) if part)
    return f"{place}: {ours}, in the paper {theirs}"


def markdown(answer: Answer, level: int = 1) -> str:
    """The answer as Markdown (GFM): aligned tables, notes, differences; drawings in words."""
    parts = [f"{'#' * level} {_marked(headline(answer))}"]
    for table in answer.tables:
        parts += [f"{'#' * (level + 1)} {_marked(table.title)}"] if len(answer.tables) > 1 else []
        parts += ["\n".join(_markdown_rows(table)) if table.rows else "(nothing)"]
        parts += [_marked(note) for note in table.remarks]
    parts += [_marked(f"{each.title}: {each.description}") for each in answer.drawings]
    parts += [_marked(note) for note in answer.notes]
    parts += list(_markdown_differences(answer.differences)) if answer.differences else []
    return "\n\n".join(parts)


def _markdown_rows(table: Table) -> Iterator[str]:
    head = [_marked(" ".join(filter(None, (c.group, c.title)))) for c in table.columns]
    rows = [[_marked(shown(c.kind, cell)) for c, cell in _pairs(table, row)] for row in table.shown]
    widths = [max(3, *(len(row[place]) for row in (head, *rows))) for place in range(len(head))]
    right = [column.kind not in _LEFT for column in table.columns]
    rule = ["-" * (w - 1) + (":" if r else "-") for w, r in zip(widths, right, strict=True)]
    for row in (head, rule, *rows):
        cells = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        yield f"| {' | '.join(cells)} |"


def _markdown_differences(found: Sequence[Difference]) -> Iterator[str]:
    yield _marked(summary(found))
    yield "\n".join(
        f"* {_marked(why or 'open')}\n" + "\n".join(f"  * {_marked(told(one))}" for one in each)
        for why, each in grouped(found)
    )


def _marked(words: str) -> str:
    return _MARKDOWN.sub(lambda found: "\\" + found[0], " ".join(words.split()))


def comma_separated(table: Table) -> str:
    """One table as CSV (RFC 4180): a line of column names, then the bare values."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_heads(table))
    writer.writerows([[_bare(cell) for cell in row] for row in table.rows])
    return file.getvalue()


def _heads(table: Table) -> list[str]:
    """The columns' names, each once: the paper's says beside which column it stands."""
    titles = {column.id: column.title for column in table.columns}
    words = ((c.group, titles.get(c.beside or "", ""), c.title) for c in table.columns)
    return [" ".join(filter(None, each)) for each in words]


def _bare(cell: Cell) -> Cell:
    """A value; before words of strangers that a spreadsheet would compute stands an apostrophe."""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return ("yes" if cell else "no") if isinstance(cell, bool) else cell


def document(answer: Answer) -> dict[str, object]:
    """The answer as JSON: each row an object by the columns' ids, numbers as numbers."""
    return {
        "part": answer.name,
        "title": answer.title,
        "section": answer.section,
        "tables": [_table_document(table) for table in answer.tables],
        "drawings": [each._asdict() for each in answer.drawings],
        "notes": list(answer.notes),
        "differences": [each._asdict() for each in answer.differences],
    }


def _table_document(table: Table) -> dict[str, object]:
    ids = [column.id for column in table.columns]
    return {
        "id": table.id,
        "title": table.title,
        "columns": [column._asdict() for column in table.columns],
        "rows": [dict(zip(ids, row, strict=True)) for row in table.rows],
        "notes": list(table.notes),
    }
