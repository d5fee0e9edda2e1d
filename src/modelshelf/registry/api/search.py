"""`GET /api/v1/search`: packages by text and facets, with the counts of every facet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelshelf.errors import UsageError
from modelshelf.package.search import FACETS, Choice, Found
from modelshelf.registry import families
from modelshelf.registry.routing import Call, Resource
from modelshelf.registry.search import Results

API = Resource("search")

_MAX_CHOSEN = 32
_MAX_CHOICES = 200


@API.route(
    "GET",
    "/api/v1/search",
    summary="Search packages by text and facets",
    returns=Found,
    query=("q", *FACETS, "family", "offset", "limit"),
)
def search(call: Call) -> Found:
    """Search; a facet may be given several times, and then any of its values will do.

    So may `family`, the id of a family of models.
    """
    results = call.service.search.query(
        call.query("q") or "",
        chosen(call),
        offset=_number(call, "offset", 0),
        limit=_number(call, "limit", 20),
        within=within(call, chosen_families(call)),
    )
    return Found(results.total, results.hits, _choices(results))


def chosen(call: Call) -> Mapping[str, tuple[str, ...]]:
    """Facet → the values asked for; facets without any are left out."""
    parameters = call.request.query_params
    lists = {facet: parameters.getlist(facet)[:_MAX_CHOSEN] for facet in FACETS}
    return {
        facet: values
        for facet, given in lists.items()
        if (values := tuple(dict.fromkeys(filter(None, given))))
    }


def chosen_families(call: Call) -> tuple[str, ...]:
    """The families asked for; none where any will do."""
    given = call.request.query_params.getlist("family")[:_MAX_CHOSEN]
    return tuple(dict.fromkeys(filter(None, given)))


def within(call: Call, chosen: Sequence[str]) -> Sequence[str] | None:
    """The packages with models in one of the chosen families; None where none is chosen."""
    if not chosen:
        return None
    with call.service.database.reading() as connection:
        return families.packages_in(connection, chosen)


def _choices(results: Results) -> dict[str, tuple[Choice, ...]]:
    return {
        facet: tuple(Choice(value, number) for value, number in counts[:_MAX_CHOICES])
        for facet, counts in results.facets.items()
    }


def _number(call: Call, name: str, default: int) -> int:
    text = call.query(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f"`{name}` must be a whole number", expected="0 or more", got=text[:40])
    return int(text)
