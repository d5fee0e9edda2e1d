"""Links of a page as dependencies of a release that has files: those that can be met.

A page only tells which packages go together. Who installs a release shall not fail for a package that
nobody can install, nor for one whose signature, guessed from a page, is another one than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from modelshelf.package import composition
from modelshelf.package import name as names
from modelshelf.package.entry import Entry, answering
from modelshelf.package.record import Dependency
from modelshelf.registry import releases
from modelshelf.registry.importing.delivered import Filled
from modelshelf.registry.importing.plan import Package
from modelshelf.registry.service import Kept


def needed_first(packages: Iterable[Package]) -> Iterator[Package]:
    """The packages, those that others need before them; of a circle, whichever comes first."""
    by_name = {each.name: each for each in packages}
    done: set[str] = set()
    for start, package in by_name.items():
        stack = [(start, iter(_needs(package)))] if start not in done else []
        done.add(start)
        while stack:
            name, needs = stack[-1]
            following = next((on for on in needs if on in by_name and on not in done), None)
            if following is None:
                stack.pop()
                yield by_name[name]
            else:
                done.add(following)
                stack.append((following, iter(_needs(by_name[following]))))


def _needs(package: Package) -> list[str]:
    needs = (each.described.record.dependencies for each in package.releases)
    return [*dict.fromkeys(on for each in needs for on in each)]


def fitting(kept: Kept, ready: Filled) -> tuple[Filled, tuple[str, ...]]:
    """The record without links that cannot be met, and the packages of those.

    What a model was made from (`base`) asks nothing of who installs it: that stays.
    """
    record = ready.record
    met = {
        on: need
        for on, need in record.dependencies.items()
        if need.kind == "base" or _answer(kept, on, need) is not None
    }
    found = composition.problems(
        msgspec.structs.replace(record, dependencies=met),
        lambda on, need: _answer(kept, on, need),
    )
    unfit = {each.element for each in found if not each.warning}
    left = {on: need for on, need in met.items() if f"dependencies.{on}" not in unfit}
    if "dependencies" in unfit:  # what runs after what cannot be told of one alone
        left = {on: need for on, need in left.items() if need.kind not in composition.KINDS}
    gone = tuple(on for on in record.dependencies if on not in left)
    return ready._replace(record=msgspec.structs.replace(record, dependencies=left)), gone


def _answer(kept: Kept, on: str, need: Dependency) -> Entry | None:
    """The release that can be installed for it."""
    with kept.database.reading() as connection:
        return answering(releases.entries(connection, *names.parse(on)), need)
