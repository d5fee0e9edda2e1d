"""The history of a package: what each release changed, how large a step it was, and its marks."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from modelshelf.checks.notes import MetricChange
from modelshelf.package.entry import Entry
from modelshelf.registry import contracts, releases
from modelshelf.registry.contracts import Step
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.routing import Call


class Event(NamedTuple):
    """One release on the timeline; `weight` is the class of its mark."""

    entry: Entry
    step: Step
    weight: str
    metrics: tuple[str, ...]


def history(call: Call) -> Response:
    """Show every release of a package, the newest first."""
    publisher, name = call.path("publisher"), call.path("name")
    with call.service.database.reading() as connection:
        package = releases.package(connection, publisher, name)
        entries = releases.entries(connection, publisher, name)
        steps = contracts.steps(connection, publisher, name)
    context = {
        "publisher": publisher,
        "name": name,
        "package": package,
        "events": tuple(_event(each, steps[each.version]) for each in reversed(entries)),
    }
    return page(call.request, "history.html", context)


def _event(entry: Entry, step: Step) -> Event:
    weight = entry.change.level if entry.change else "first"
    return Event(entry, step, weight, tuple(_metric(each) for each in step.metrics))


def _metric(change: MetricChange) -> str:
    """`accuracy on uci-digits test (small): 0.97 → 0.98, better`."""
    where = " ".join(part for part in (change.dataset, change.split) if part)
    name = f"{change.name} on {where}" if where else change.name
    word = "better" if change.better else "worse"
    return f"{name} ({change.variant}): {change.old:.6g} → {change.new:.6g}, {word}"


PAGE = Page("/{publisher}/{name}/history", history)
