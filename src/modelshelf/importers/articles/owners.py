"""Which page an entrypoint belongs to, where several call it; and what pages need of each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from modelshelf.importers.articles.reading import Reading
from modelshelf.importers.page.architectures import titles
from modelshelf.importers.page.entrypoints import Call, Use
from modelshelf.importers.page.listed import folded
from modelshelf.package.record import Dependency

_RANGE = "^1.0"
"""Every page is a first version."""
_shortest_name = 3


def owners(readings: Sequence[Reading]) -> dict[str, dict[str, str]]:
    """For each page, the entrypoints that it calls but that others own, with the page that does.

    An entrypoint that several pages call is that page's whose title or name it has, where only one
    has; what none or several are called by (tools) is everybody's own.
    """
    callers: dict[tuple[str, str], dict[str, Reading]] = defaultdict(dict)
    for reading in readings:
        for call in reading.examples.calls:
            key = (call.repository.lower(), call.entrypoint)
            callers[key][reading.draft.name] = reading
    found: dict[str, dict[str, str]] = {reading.draft.name: {} for reading in readings}
    for (_, entrypoint), pages in callers.items():
        owning = [name for name, reading in pages.items() if _is_named(entrypoint, reading)]
        if len(pages) > 1 and len(owning) == 1:
            for name in pages.keys() - {owning[0]}:
                found[name][entrypoint] = owning[0]
    return found


def dependencies(
    reading: Reading, foreign: Iterable[Call], names: Mapping[str, str]
) -> dict[str, Dependency]:
    """What the page's models work together with; `names` are the packages by entrypoint.

    What puts out what the page's own models are given comes before them, anything else behind.
    """
    others = {call.entrypoint: call for call in reversed(list(foreign))}
    own = {
        target
        for call in reading.examples.calls
        if call.entrypoint not in others
        for target in call.targets
    }
    found: dict[str, Dependency] = {}
    for entrypoint, call in others.items():
        package = names.get(entrypoint)
        if package:
            before = _feeds(set(call.targets), own, reading.examples.uses)
            found[package] = Dependency(_RANGE, kind="preprocess" if before else "pipeline")
    return found


def _feeds(first: set[str], second: set[str], uses: Iterable[Use]) -> bool:
    """Whether something that a variable of `first` gives back is given to one of `second`."""
    made: set[str] = set()
    for use in uses:
        if use.variable in first:
            made.update(use.result)
        elif use.variable in second and not (made - first).isdisjoint(use.given):
            return True
    return False


def _is_named(entrypoint: str, reading: Reading) -> bool:
    """Whether a page is called as the entrypoint is."""
    core = folded(reading.core(entrypoint))
    last = reading.draft.name.rpartition("_")[2]
    names = [folded(name) for name in (*titles(reading.draft.first("title")), last)]
    return any(
        core == name
        or (len(name) >= _shortest_name and (core.startswith(name) or name.startswith(core)))
        for name in names
        if name
    )
