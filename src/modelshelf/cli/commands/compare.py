"""Show models side by side: features, quality, sizes, needs, all that is known.

  shelf compare acme/mobilenet acme/resnet@2.0.0:r50

A side is NAME, NAME@VERSION or NAME@VERSION:VARIANT; NAME:VARIANT takes the newest release. Without
a variant the default one is meant. A package that is named alone (or as NAME:*) shows all of its
variants. The best of each row is marked with *. `shelf diff` tells what changed between releases.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelshelf.cli.columns import Line, Section
    from modelshelf.package.side_by_side import Row, Side

_UNKNOWN = "-"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_DAY = len("2026-01-31")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the sides, which rows."""
    parser.add_argument("sides", nargs="+", metavar="SIDE", help="NAME[@VERSION][:VARIANT]")
    parser.add_argument(
        "--differences", action="store_true", help="only the rows on which they differ"
    )
    parser.add_argument("--all", action="store_true", help="also the rows that none knows")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Describe every side, align, show."""
    from modelshelf.cli.columns import columns
    from modelshelf.client.side_by_side import sides
    from modelshelf.package.side_by_side import rows

    registry, _ = registry_of(arguments)
    models = sides(registry, arguments.sides)
    found = rows(models)
    shown = [
        row
        for row in found
        if (arguments.all or not row.empty) and not (arguments.differences and row.agreed)
    ]
    text = columns([_head(models), *_sections(shown)], output)
    agreed = sum(row.agreed and not row.empty for row in found)
    if arguments.differences:
        text += f"\n\nOn {agreed} other rows they agree."
    value = {
        "sides": [model.names for model in models],
        "rows": [row for row in found if not (arguments.differences and row.agreed)],
    }
    output.result(value, text)


def _head(models: Sequence[Side]) -> Section:
    from modelshelf.cli.columns import Line, Section

    names = [model.names for model in models]
    return Section(
        "",
        tuple(
            Line(title, tuple(each[key] for each in names))
            for title, key in (("", "name"), ("version", "version"), ("variant", "variant"))
        ),
    )


def _sections(rows: Sequence[Row]) -> Iterator[Section]:
    from modelshelf.cli.columns import Section

    for title in dict.fromkeys(row.section for row in rows):
        yield Section(title, tuple(_line(row) for row in rows if row.section == title))


def _line(row: Row) -> Line:
    from modelshelf.cli.columns import Line

    cells = [_cell(row, value) for value in row.values]
    for index in row.best:
        cells[index] += " *"
    return Line(row.name, tuple(cells), row.best, quiet=row.agreed)


def _cell(row: Row, value: object) -> str:
    from modelshelf.cli.plot import told

    if row.name in _SHORT and isinstance(value, Mapping):
        return _SHORT[row.name](value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        name = {"Bytes": "bytes", "Cost": row.name.split(",")[0].replace(" ", "_")}
        return told(name.get(row.section, ""), value)
    return _words(value) or _UNKNOWN


def _total(value: Mapping[str, object]) -> str:
    total = value.get("total")
    return size(total) if isinstance(total, int) else _words(value)


_SHORT: dict[str, Callable[[Mapping[str, object]], str]] = {
    "Size": _total,
    "Downloadable": lambda value: f"{len(value)} files",
}
"""Elements of which a cell holds only the sum."""


def _words(value: object, *, inner: bool = False) -> str:
    """A value of the record in few words: of files their paths, of people their names."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _titled(value, inner=inner)
    if isinstance(value, list | tuple):
        return ", ".join(_words(each, inner=True) for each in value)
    first, *more = str(value).strip().splitlines() or [""]
    text = f"{first} \u2026" if more else first
    return text[:_DAY] if _TIME.fullmatch(text) else text


def _titled(value: Mapping[str, object], *, inner: bool) -> str:
    for key in ("path", "name", "format", "version"):
        if isinstance(value.get(key), str):
            return f"{value[key]} {_words(value.get('value'))}".rstrip()
    if inner and all(isinstance(each, Mapping) for each in value.values()):
        return ", ".join(value)
    told = ((key.replace("_", " "), _words(each, inner=True)) for key, each in value.items())
    return "; ".join(f"{key}: {words}" for key, words in told if words)
