"""The page that shows models side by side, over everything that is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from modelshelf.errors import NotFound, ShelfError
from modelshelf.package.elements import ELEMENTS
from modelshelf.package.record import default_variant
from modelshelf.package.side_by_side import Described, Known, Side, parse, rows
from modelshelf.package.side_by_side import Row as Fact
from modelshelf.package.variant import named
from modelshelf.registry import releases
from modelshelf.registry.pages.family import MOST_SIDES
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.presenting import shown
from modelshelf.registry.pages.rendering import count, page, size
from modelshelf.registry.routing import Call

_BY_NAME = {element.name: element.id for element in ELEMENTS}


class Column(NamedTuple):
    """One model: what it is called, and the address of the comparison without it."""

    side: Side
    text: str
    without: str


class Cell(NamedTuple):
    """What is known of one fact of one model; `best` where it is better than the others."""

    value: object
    best: bool = False
    known: str | None = None


class Line(NamedTuple):
    """One fact of all of them."""

    name: str
    cells: tuple[Cell, ...]
    agreed: bool


class Section(NamedTuple):
    """Facts of one kind."""

    name: str
    lines: tuple[Line, ...]


def compare(call: Call) -> Response:
    """Compare the models that the address names."""
    query = call.request.query_params
    texts = list(
        dict.fromkeys(each.strip()[:300] for each in query.getlist("with") if each.strip())
    )
    differences = query.get("only") == "differences"
    found, wrong = _sides(call, texts[:MOST_SIDES])
    chosen = [text for text, _ in found]
    context = {
        "columns": tuple(
            Column(side, text, _url([each for each in chosen if each != text], differences))
            for text, side in found
        ),
        "sections": tuple(_sections([side for _, side in found], differences))
        if len(found) > 1
        else (),
        "wrong": tuple(wrong),
        "left_out": len(texts[MOST_SIDES:]),
        "most": MOST_SIDES,
        "differences": differences,
        "other": _url(chosen, not differences),
    }
    return page(call.request, "compare.html", context)


def _sides(call: Call, texts: Sequence[str]) -> tuple[list[tuple[str, Side]], list[ShelfError]]:
    """The models that could be found, and what is wrong with the others."""
    found, wrong = [], []
    for text in texts:
        try:
            found.append((text, _side(call, text)))
        except ShelfError as error:
            wrong.append(error)
    return found, wrong


def _side(call: Call, text: str) -> Side:
    name, version, variant = parse(text)
    publisher, _, rest = name.partition("/")
    with call.service.database.reading() as connection:
        chosen = version or releases.package(connection, publisher, rest).latest
        if chosen is None:
            raise NotFound("This package has no release", where=name)
        release = releases.release(connection, publisher, rest, chosen)
    elements = {key: Known(each.value, each.known) for key, each in release.elements.items()}
    variants = release.entry.variants
    model = named(variants, variant) if variant else default_variant(variants)
    return Side(Described(release.entry, release.record, elements), model)


def _sections(sides: Sequence[Side], differences: bool) -> Iterator[Section]:
    facts = [row for row in rows(sides) if not row.empty and not (differences and row.agreed)]
    for name, group in groupby(facts, key=lambda row: row.section):
        yield Section(name, tuple(_line(row) for row in group))


def _line(row: Fact) -> Line:
    known = row.known or (None,) * len(row.values)
    cells = tuple(
        Cell(_told(row, value), number in row.best, known[number] if value is not None else None)
        for number, value in enumerate(row.values)
    )
    return Line(row.name, cells, row.agreed)


def _told(row: Fact, value: object) -> object:
    """A value in the form that reads best."""
    if row.known:
        return shown(_BY_NAME[row.name], value)
    if isinstance(value, int) and not isinstance(value, bool):
        in_bytes = row.section == "Bytes" or row.name.startswith("peak memory")
        return (size(value) if value else None) if in_bytes else count(value)
    return f"{value:.4g}" if isinstance(value, float) else value


def _url(texts: Sequence[str], differences: bool) -> str:
    asked = [("with", text) for text in texts]
    asked += [("only", "differences")] if differences else []
    return "/compare" + (f"?{urlencode(asked, errors='replace')}" if asked else "")


PAGE = Page("/compare", compare)
