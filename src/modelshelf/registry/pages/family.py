"""The page of a family: its members, what varies, how good they are, what is like it, what is newer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from starlette.responses import Response

from modelshelf.registry import families
from modelshelf.registry.families import Family, FamilyMember, Generation
from modelshelf.registry.pages import members
from modelshelf.registry.pages.feature_diagram import diagram
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.pages.scatter import charts
from modelshelf.registry.routing import Call

MOST_SIDES = 5
"""How many models the page of a comparison shows."""


class Reason(NamedTuple):
    """Why some members are in the family."""

    text: str
    members: tuple[FamilyMember, ...]


def family(call: Call) -> Response:
    """Show one family."""
    with call.service.database.reading() as connection:
        found = families.find(connection, call.path("id"))
    query = call.request.query_params
    wanted = members.asked(
        query.get("sort"), query.get("order"), query.getlist("is"), query.get("offset")
    )
    return page(call.request, "family.html", context(found, wanted))


def context(found: Family, wanted: members.Asked) -> Mapping[str, object]:
    """All that the page says."""
    return {
        "family": found,
        "about": about(found),
        "table": members.table(found, wanted),
        "asked": wanted,
        "varies": members.varies(found, wanted),
        "charts": charts(found),
        "diagram": diagram(found) if found.models > 1 else None,
        "reasons": reasons(found),
        "newest": newest(found),
        "most_sides": MOST_SIDES,
    }


def about(found: Family) -> tuple[tuple[str, str, str | None], ...]:
    """The parts of the key as (what, value, address of the packages with it)."""
    data = " + ".join(found.datasets) or found.dataset
    parts = (
        ("Task", found.task, f"/families?task={found.task}" if found.task else None),
        ("Algorithm", found.algorithm, None),
        ("Dataset", data, None),
        ("Language", found.language, None),
    )
    return tuple((what, value, url) for what, value, url in parts if value)


def reasons(found: Family) -> tuple[Reason, ...]:
    """Why each member is here, what most have in common first."""
    by_text: dict[str, list[FamilyMember]] = {}
    for member in found.members:
        by_text.setdefault(member.why, []).append(member)
    ordered = sorted(by_text.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(Reason(text, tuple(own)) for text, own in ordered)


def newest(found: Family) -> Generation | None:
    """The newest generation of its algorithm, where that is another family."""
    return next((each for each in found.generations if each.family == found.newer), None)


PAGE = Page("/families/{id}", family)
