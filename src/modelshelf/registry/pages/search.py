"""The search page: one plain form, facets as links, every state of it an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from modelshelf.package.search import FACETS
from modelshelf.registry import families
from modelshelf.registry.api.search import chosen, chosen_families, within
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.routing import Call
from modelshelf.registry.search import Results

_PER_PAGE = 20
_MAX_CHOICES = 60
_MAX_TEXT = 200
_MOST_FAMILIES = 8
Pairs = tuple[tuple[str, str], ...]


class Choice(NamedTuple):
    """One value of a facet; `url` chooses it, or gives it up where it is chosen."""

    value: str
    packages: int
    chosen: bool
    url: str


class Facet(NamedTuple):
    """One facet with its values, chosen ones first."""

    name: str
    choices: tuple[Choice, ...]


class Removal(NamedTuple):
    """A chosen value and the address of the same search without it."""

    facet: str
    value: str
    url: str


def search(call: Call) -> Response:
    """Show what matches the form."""
    text = (call.query("q") or "").strip()[:_MAX_TEXT]
    wanted, inside = chosen(call), chosen_families(call)
    offset = _offset(call.query("offset"))
    results = call.service.search.query(
        text, wanted, offset=offset, limit=_PER_PAGE, within=within(call, inside)
    )
    pairs = tuple((facet, value) for facet, values in wanted.items() for value in values)
    pairs += tuple(("family", each) for each in inside)
    with call.service.database.reading() as connection:
        alike = families.of_packages(connection, [hit.name for hit in results.hits])
    context = {
        "text": text,
        "chosen": pairs,
        "removals": [Removal(*pair, _url(text, _without(pairs, pair))) for pair in pairs],
        "clear": _url(text, ()),
        "total": results.total,
        "hits": results.hits,
        "families": alike[:_MOST_FAMILIES],
        "facets": facets(text, pairs, results),
        "previous": _url(text, pairs, max(offset - _PER_PAGE, 0)) if offset else None,
        "next": _next(text, pairs, offset, results.total),
    }
    return page(call.request, "search.html", context)


def facets(text: str, pairs: Pairs, results: Results) -> tuple[Facet, ...]:
    """The facets as links, at most sixty values each; chosen ones are always among them."""
    return tuple(
        Facet(name, _choices(name, text, pairs, dict(results.facets[name]))) for name in FACETS
    )


def _choices(name: str, text: str, pairs: Pairs, counts: Mapping[str, int]) -> tuple[Choice, ...]:
    taken = [value for facet, value in pairs if facet == name]
    values = dict.fromkeys([*taken, *counts])
    return tuple(
        Choice(value, counts.get(value, 0), value in taken, _toggled(text, pairs, (name, value)))
        for value in list(values)[:_MAX_CHOICES]
    )


def _toggled(text: str, pairs: Pairs, pair: tuple[str, str]) -> str:
    return _url(text, _without(pairs, pair) if pair in pairs else (*pairs, pair))


def _without(pairs: Iterable[tuple[str, str]], pair: tuple[str, str]) -> Pairs:
    return tuple(each for each in pairs if each != pair)


def _url(text: str, pairs: Pairs, offset: int = 0) -> str:
    asked = [("q", text)] if text else []
    asked += pairs
    if offset:
        asked.append(("offset", str(offset)))
    return "/search" + (f"?{urlencode(asked, errors='replace')}" if asked else "")


def _next(text: str, pairs: Pairs, offset: int, total: int) -> str | None:
    following = offset + _PER_PAGE
    return _url(text, pairs, following) if following < total else None


def _offset(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


PAGE = Page("/search", search)
