"""Recompute the paper's tables and figures from catalogues of models.

  shelf study table3 --catalogue 2020=tfhub:snapshots/2020 --catalogue 2024=tfhub:snapshots/2024

A catalogue is LABEL=KIND:PLACE; without a label its folder's name is taken. Where the paper measured
the same hub, its figure stands beside ours. Several snapshots of one hub are given oldest first.
`report` writes the whole study as HTML (or Markdown), `parquet` writes the catalogues to a folder or
a bucket, from where `--catalogue parquet:PLACE` studies them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from modelshelf.cli.importing import counting
from modelshelf.cli.output import Output, harmless
from modelshelf.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.package.catalogue import Catalogue
    from modelshelf.store.tables import Tables
    from modelshelf.study import Answer
    from modelshelf.study.survey import Survey

WHOLE_RELEASES = 50_000
"""A stored catalogue with more is studied where it lies: families then are found by labels only."""
_LABELLED = re.compile(r"(?:([\w.+-]{1,60})=)?([a-z0-9-]{1,40}:.+)", re.DOTALL)
_STORED = "parquet:"
Value = TypeVar("Value")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: which part, of what, shown how."""
    from modelshelf.importers import importers
    from modelshelf.study import parts

    kinds = ", ".join(f"{each.name}:{each.place}" for each in importers().values())
    parser.add_argument("part", choices=[*parts(), "report", "parquet"], help="what to compute")
    parser.add_argument(
        "--catalogue",
        action="append",
        required=True,
        metavar="[LABEL=]SPEC",
        help=f"what to measure, again for more: {kinds}",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--csv", action="store_true", help="one table as CSV")
    shown.add_argument("--markdown", action="store_true", help="as Markdown")
    shown.add_argument("--svg", action="store_true", help="one figure as SVG")
    shown.add_argument("--html", action="store_true", help="as one page of HTML")
    parser.add_argument(
        "--table", metavar="ID", help="which table or figure, where there are several"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to this file (parquet: PLACE)"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Read the catalogues, compute, show."""
    catalogues = _read(arguments, output)
    if arguments.part == "parquet":
        _write_parquet(arguments, output, catalogues)
        return
    from modelshelf.cli.overview import names
    from modelshelf.study.survey import Survey

    with Survey(catalogues, offers=names()) as survey:
        if arguments.part == "report":
            _report(arguments, output, survey)
        elif arguments.part == "families" and output.json:
            _list_families(arguments, output, survey)
        else:
            _answer(arguments, output, survey)


def _read(arguments: argparse.Namespace, output: Output) -> list[Catalogue | Tables]:
    found: list[Catalogue | Tables] = []
    for each in arguments.catalogue:
        label, specification = _parsed(each)
        found += _one(label, specification, output)
    return found


def _parsed(given: str) -> tuple[str | None, str]:
    match = _LABELLED.fullmatch(given)
    if match is None:
        raise UsageError(
            f"`{given[:80]}` names no catalogue", expected="KIND:PLACE or LABEL=KIND:PLACE"
        )
    return match[1], match[2]


def _one(label: str | None, specification: str, output: Output) -> Iterator[Catalogue | Tables]:
    """One catalogue, or those that lie in one place; large ones are left where they lie."""
    if specification.startswith(_STORED) and "#" not in specification:
        stored, sizes = _stored(specification.removeprefix(_STORED))
        if sum(sizes.values()) > WHOLE_RELEASES:
            if label:
                raise UsageError(
                    "a catalogue of this size keeps the label that it was stored with",
                    got=label,
                    hint="leave the label out",
                )
            yield stored
            return
        for name in sizes:
            chosen = label if label and len(sizes) == 1 else name
            yield _whole(chosen, f"{specification}#{name}", output)
        return
    yield _whole(label or _folder(specification), specification, output)


def _stored(place: str) -> tuple[Tables, dict[str, int]]:
    """The tables at a place, and how many releases each of its catalogues has."""
    from modelshelf.study.database import Study
    from modelshelf.study.parquet import stored

    tables = stored(place)
    with Study.of([tables]) as study:
        rows = study.query("SELECT catalogue, versions FROM catalogues").rows
    return tables, {str(label): int(str(count)) for label, count in rows}


def _whole(label: str, specification: str, output: Output) -> Catalogue:
    import msgspec

    from modelshelf.importers import read

    with counting(output, f"reading {label}", "pages") as progress:
        catalogue = read(specification, progress)
    return msgspec.structs.replace(catalogue, specification=label)


def _folder(specification: str) -> str:
    """The label of a catalogue that is given none."""
    place = specification.partition(":")[2].rstrip("/")
    if specification.startswith(_STORED) and "#" in place:
        return place.rpartition("#")[2]
    last = re.sub(r"(\.tar)?\.gz$|\.tar$", "", place.rpartition("/")[2])
    return re.sub(r"[^\w.+-]+", "-", last).strip("-.") or specification.partition(":")[0]


def _write_parquet(
    arguments: argparse.Namespace, output: Output, catalogues: Sequence[Catalogue | Tables]
) -> None:
    from modelshelf.package.catalogue import Catalogue
    from modelshelf.study.parquet import write

    if not arguments.output:
        raise UsageError(
            "where shall the tables go?", hint="say it with -o: a folder or s3://BUCKET/PREFIX"
        )
    whole = [each for each in catalogues if isinstance(each, Catalogue)]
    if len(whole) < len(catalogues):
        raise UsageError("a stored catalogue of this size is not written again")
    rows = write(whole, arguments.output)
    output.result(
        {"place": arguments.output, "rows": rows}, f"{rows:,} rows written to {arguments.output}"
    )


def _list_families(arguments: argparse.Namespace, output: Output, survey: Survey) -> None:
    from modelshelf.study.grouping import document

    _json(arguments, output, document(survey))


def _answer(arguments: argparse.Namespace, output: Output, survey: Survey) -> None:
    from modelshelf.study import answer, render, report

    found = answer(arguments.part, survey)
    if output.json:
        _json(arguments, output, render.document(found))
    elif arguments.csv:
        table = _chosen(arguments, output, {each.id: each for each in found.tables})
        _write(arguments, output, render.comma_separated(table))
    elif arguments.svg:
        drawing = _chosen(arguments, output, {each.id: each for each in found.drawings})
        _write(arguments, output, drawing.svg + "\n")
    elif arguments.markdown:
        _write(arguments, output, render.markdown(_only(arguments, found)) + "\n")
    elif arguments.html:
        _write(arguments, output, report.html([_only(arguments, found)], survey))
    else:
        shown = _only(arguments, found)
        _write(arguments, output, render.text(shown, output.paint, _width()) + "\n")


def _only(arguments: argparse.Namespace, found: Answer) -> Answer:
    """The answer, or its one table that was asked for."""
    if arguments.table is None:
        return found
    tables = {each.id: each for each in found.tables}
    table = _named(arguments.table, tables)
    left = tuple(each for each in found.differences if each.table == table.id)
    return found._replace(tables=(table,), drawings=(), notes=(), differences=left)


def _chosen(arguments: argparse.Namespace, output: Output, offered: dict[str, Value]) -> Value:
    """The one that `--table` names, else the first; a note tells of the others."""
    if not offered:
        raise UsageError(f"{arguments.part} has no figure", hint="figure2 and figure3 have")
    if arguments.table is not None:
        return _named(arguments.table, offered)
    first, *others = offered
    if others:
        output.note(f"This is {first}; --table shows another: {', '.join(others)}")
    return offered[first]


def _named(name: str, offered: dict[str, Value]) -> Value:
    if name not in offered:
        from modelshelf.package.vocabularies import nearest

        raise UsageError(
            f"there is no table `{name[:60]}` here",
            expected=", ".join(offered),
            hint=nearest(name, list(offered)),
        )
    return offered[name]


def _report(arguments: argparse.Namespace, output: Output, survey: Survey) -> None:
    from modelshelf.study import answers, render, report

    if arguments.csv or arguments.svg or arguments.table:
        raise UsageError(
            "a report is HTML, Markdown or JSON", hint="for one table: shelf study PART"
        )
    found = answers(survey)
    if output.json:
        _json(arguments, output, {"parts": [render.document(each) for each in found]})
        return
    name = arguments.output or ""
    if arguments.markdown or name.endswith((".md", ".markdown")):
        _write(arguments, output, report.markdown(found, survey, _beside(arguments)))
    else:
        _write(arguments, output, report.html(found, survey))


def _beside(arguments: argparse.Namespace) -> Callable[..., str | None]:
    """Writes each drawing beside the file that is written; tells its name."""
    from modelshelf.study import Drawing

    def written(drawing: Drawing) -> str | None:
        if not arguments.output:
            return None
        path = Path(arguments.output)
        name = f"{path.stem}-{drawing.id}.svg"
        (path.parent / name).write_text(drawing.svg + "\n", encoding="utf-8")
        return name

    return written


def _json(arguments: argparse.Namespace, output: Output, value: object) -> None:
    if arguments.output:
        import msgspec

        _write(arguments, output, msgspec.json.encode(value).decode() + "\n")
    else:
        output.result(value, "")


def _write(arguments: argparse.Namespace, output: Output, text: str) -> None:
    """To the file asked for, or to standard output; what strangers wrote must not steer terminals."""
    if arguments.output:
        path = Path(arguments.output)
        path.write_text(text, encoding="utf-8", newline="")
        output.note(f"Written: {path}")
    elif arguments.csv:
        sys.stdout.write("\r\n".join(map(harmless, text.split("\r\n"))))
        sys.stdout.flush()
    else:
        output.result(None, text)


def _width() -> int:
    import shutil

    from modelshelf.study.render import WIDTH

    return shutil.get_terminal_size((WIDTH, 24)).columns
