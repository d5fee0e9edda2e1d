"""Figures of quality out of tables, whichever way the measures, the models and the data lie in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from modelshelf.importers.page.figure import Figure, Label, label_of, metric_of, number_in
from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.markdown import Table
from modelshelf.importers.page.metric_names import (
    COST,
    Measure,
    data_named,
    measures,
    slug,
    split_named,
)
from modelshelf.package.catalogue import Found

ROW_COUNT = 400
"""Rows of one table; what stands below is not read."""

_DATA = re.compile(
    r"\bdata ?sets?\b|\btasks?\b|\bbenchmarks?\b|\bsubset|\bcorpus\b|\bcorpora\b|\bpairs?\b|\blanguages?\b",
    re.IGNORECASE,
)
_METRIC = re.compile(r"metrics?|measures?", re.IGNORECASE)
_VALUE = re.compile(r"values?|scores?|results?|performance", re.IGNORECASE)
_MODEL = re.compile(
    r"models?\b|\bname\b|architecture|structure|method|network|backbone|variant|module|\barch\b|entrypoint|size|type",
    re.IGNORECASE,
)
_AVERAGE = re.compile(r"(?:average|avg\.?|mean|overall|all)", re.IGNORECASE)
_JUDGED = re.compile(
    r"metric|evaluat|performance|results?\b|benchmark|accurac|quality", re.IGNORECASE
)
_NAMED_VALUE = re.compile(r"([\w@. -]{1,30}?)\s?[=:]\s?([\d.]{1,20}\s?%?)")
_TWO = re.compile(r"([\d.]{1,9}) \(([\d.]{1,9})\)")
_MARK = re.compile(r"\*\*|\]\(")
_MARKED = re.compile(r"\(ours\)|\bours\b", re.IGNORECASE)


class Setting(NamedTuple):
    """Where a table stands: the headings above it, and what its caption says."""

    titles: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    dataset: str | None = None
    split: str | None = None


class _Raw(NamedTuple):
    """A value as written, before it is known whether its measure is in percent."""

    measure: Measure
    value: float
    percent: bool
    label: Label
    line: int


class _Sheet(NamedTuple):
    """A table's cells as read, and as written."""

    header: list[str]
    rows: list[list[str]]
    written: Sequence[Sequence[str]]
    table: Table
    setting: Setting

    def line(self, row: int) -> int:
        return self.table.line + 2 + row


def figures_of(table: Table, setting: Setting) -> list[Figure]:
    """All figures of a table; their labels name rows or columns, whichever are models."""
    rows = table.rows[:ROW_COUNT]
    plain_rows = [[plain(cell) for cell in row] for row in rows]
    sheet = _Sheet([plain(cell) for cell in table.header], plain_rows, rows, table, setting)
    columns = [measures(head) for head in sheet.header]
    for reading in (_by_metric_column, _by_columns, _by_corner, _by_rows, _by_cells, _by_section):
        found = list(reading(sheet, columns))
        if found:
            return list(_measured(found))
    return []


def _measured(found: list[_Raw]) -> Iterator[Figure]:
    """A table gives its shares in percent if it gives one so."""
    in_percent = any(each.measure.share and (each.percent or abs(each.value) > 1) for each in found)
    for each in found:
        metric = metric_of(each.measure, each.value, percent=in_percent)
        if metric:
            yield Figure(metric, each.label, Found("table", each.measure.unsure), each.line)


Columns = list[tuple[Measure, ...]]


def _by_metric_column(sheet: _Sheet, _columns: Columns) -> Iterator[_Raw]:
    """A column holds the measures' names, others the values: of one model, or of a model each."""
    where = next((n for n, head in enumerate(sheet.header) if _METRIC.fullmatch(head)), None)
    if where is None:
        return
    data = next(
        (n for n, head in enumerate(sheet.header) if n != where and _DATA.search(head)), None
    )
    for number, row in enumerate(sheet.rows):
        named = measures(row[where]) if where < len(row) else ()
        if data is not None and data < len(row):
            named = tuple(m._replace(dataset=m.dataset or row[data]) for m in named)
        for column, cell in enumerate(row[: len(sheet.header)]):
            head = sheet.header[column]
            if column in (where, data) or COST.search(head):
                continue
            label = Label() if _VALUE.fullmatch(head) else label_of(sheet.table.header[column])
            yield from _figures(sheet, number, cell, named, label, parts=_kinds(row, column))


def _kinds(row: list[str], column: int) -> list[str]:
    """`Boxes`, `Keypoints` where a row says what its two values are of."""
    count = row[column].count("/")
    kinds = (
        cell.split("/") for n, cell in enumerate(row) if n != column and cell.count("/") == count
    )
    return next((k for k in kinds if count and all(part.strip().isalpha() for part in k)), [])


def _by_columns(sheet: _Sheet, columns: Columns) -> Iterator[_Raw]:
    """Columns are measures, each row a model (or data)."""
    if not any(columns[1:]):
        return
    first = next((n for n in range(len(columns)) if not columns[n] and _wordy(sheet.rows, n)), None)
    head = sheet.header[first] if first is not None else ""
    is_data = bool(_DATA.search(head)) or (
        not head and any(map(_DATA.search, sheet.setting.titles[-1:]))
    )
    dataset = None if is_data or not head or _MODEL.search(head) else data_named(head)[0]
    for number, row in enumerate(sheet.rows):
        label = _row_label(sheet, number, first, columns, dataset) if not is_data else Label()
        own = row[first] if is_data and first is not None and first < len(row) else dataset
        for column, named in enumerate(columns[: len(row)]):
            wanted = tuple(m._replace(dataset=m.dataset or own) for m in named)
            yield from _figures(
                sheet, number, row[column], wanted, label, head=sheet.header[column]
            )


def _wordy(rows: list[list[str]], column: int) -> bool:
    """Whether a column mostly holds words."""
    cells = [row[column] for row in rows[:20] if column < len(row)]
    return 2 * sum(any(map(str.isalpha, cell)) for cell in cells) > len(cells)


def _row_label(
    sheet: _Sheet, number: int, first: int | None, columns: Columns, dataset: str | None
) -> Label:
    row, written = sheet.rows[number], sheet.written[number]
    if first is None or first >= len(row):
        return Label()
    others = (
        cell
        for n, cell in enumerate(row[: len(columns)])
        if n != first and not columns[n] and cell and len(cell) < 60 and "://" not in cell
    )
    beside = [*([dataset] if dataset else []), *others]
    label = label_of(written[first], beside[:6])
    if not _MARKED.search(label.text):
        return label
    return Label(_MARKED.sub("", label.text).strip(), label.url, marked=True, beside=label.beside)


def _by_corner(sheet: _Sheet, columns: Columns) -> Iterator[_Raw]:
    """`XDIG (Accuracy)` in the corner: rows are models, columns parts of the data."""
    if not columns or not columns[0]:
        return
    for number, row in enumerate(sheet.rows):
        for column in range(1, min(len(row), len(sheet.header))):
            if not COST.search(sheet.header[column]):
                named = tuple(_on(m, m.dataset, sheet.header[column]) for m in columns[0])
                label = label_of(sheet.written[number][0])
                yield from _figures(sheet, number, row[column], named, label)


def _on(measure: Measure, dataset: str | None, part: str) -> Measure:
    """The measure on a part of the data: a split of it, or a subset; an average is on all of it."""
    split = split_named(part) if len(part.split()) <= 2 else None
    if split:
        return measure._replace(dataset=dataset, split=split)
    if not part or _AVERAGE.fullmatch(part) or _VALUE.fullmatch(part):
        return measure._replace(dataset=dataset)
    return measure._replace(dataset=f"{dataset} {part}" if dataset else part)


def _by_rows(sheet: _Sheet, _columns: Columns) -> Iterator[_Raw]:
    """The first cell of a row names a measure, columns are parts of the data."""
    named = [measures(row[0]) if row else () for row in sheet.rows]
    if 2 * sum(map(bool, named)) <= len(named) or not named:
        return
    corner = sheet.header[0] if sheet.header else ""
    data = (
        None
        if not corner or _DATA.search(corner) or _MODEL.search(corner)
        else data_named(corner)[0]
    )
    for number, row in enumerate(sheet.rows):
        for column in range(1, min(len(row), len(sheet.header))):
            if not COST.search(sheet.header[column]):
                wanted = tuple(
                    _on(m, m.dataset or data, sheet.header[column]) for m in named[number]
                )
                yield from _figures(sheet, number, row[column], wanted, Label())


def _by_cells(sheet: _Sheet, _columns: Columns) -> Iterator[_Raw]:
    """Cells hold `top1=84.9%`."""
    dataset = None if _MODEL.search(sheet.header[0]) else data_named(sheet.header[0])[0]
    for number, row in enumerate(sheet.rows):
        label = label_of(sheet.written[number][0], [dataset] if dataset else []) if row else Label()
        for cell in row[1:]:
            said = _NAMED_VALUE.fullmatch(cell)
            if said:
                yield from _figures(sheet, number, said[2], _doubted(said[1]), label)


def _doubted(name: str) -> tuple[Measure, ...]:
    return tuple(measure._replace(unsure=True) for measure in measures(name))


def _by_section(sheet: _Sheet, _columns: Columns) -> Iterator[_Raw]:
    """No cell names a measure, but the heading or the caption says that the table judges."""
    setting = sheet.setting
    if not setting.measures and not any(map(_JUDGED.search, setting.titles[-2:])):
        return
    captioned = tuple(m._replace(unsure=True) for m in setting.measures or (Measure("score"),))
    across = _models_across(sheet)
    judged = [
        column
        for column in range(1, len(sheet.header))
        if not COST.search(sheet.header[column]) and _decimal(sheet.rows, column)
    ]
    for number, row in enumerate(sheet.rows):
        for column in () if not row or COST.search(row[0]) else judged:
            if column < len(row):
                model = sheet.table.header[column] if across else sheet.written[number][0]
                part = row[0] if across else sheet.header[column]
                both = _TWO.fullmatch(row[column]) if len(captioned) > 1 else None
                cell = f"{both[1]}/{both[2]}" if both else row[column]
                named = tuple(_on(m, None, part) for m in (captioned if both else captioned[-1:]))
                yield from _figures(sheet, number, cell, named, label_of(model))


def _models_across(sheet: _Sheet) -> bool:
    """Whether the columns are models: links and bold type mark models, else the corner decides."""
    if any(map(_MARK.search, sheet.table.header[1:])):
        return True
    if any(row and _MARK.search(row[0]) for row in sheet.written):
        return False
    return bool(_DATA.search(sheet.header[0]))


def _decimal(rows: list[list[str]], column: int) -> bool:
    """Whether a column holds decimal fractions or percents."""
    cells = [row[column] for row in rows[:50] if column < len(row) and row[column]]
    like = sum(("." in cell or "%" in cell) and number_in(cell) is not None for cell in cells)
    return bool(cells) and 10 * like >= 6 * len(cells)


def _figures(
    sheet: _Sheet,
    row: int,
    cell: str,
    named: Sequence[Measure],
    label: Label,
    *,
    head: str = "",
    parts: Sequence[str] = (),
) -> Iterator[_Raw]:
    """The figures of one cell: as many as it has measures, or as one measure has `parts`."""
    if not named:
        return
    cells = cell.split("/") if len(named) > 1 or parts else [cell]
    more = [named[0]._replace(name=slug(f"{named[0].name} {part}")) for part in parts[1:]]
    setting = sheet.setting
    for measure, said in zip([*named, *more], cells, strict=False):
        number = number_in(said.strip())
        if number:
            dataset, split = measure.dataset or setting.dataset, measure.split or setting.split
            whole = measure._replace(dataset=dataset, split=split)
            percent = number[1] or "%" in head
            yield _Raw(whole, number[0], percent, label, sheet.line(row))
