"""Who needs whom on a shelf: the lock as a graph, from what is wanted down, or upwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from modelshelf.package.lock import Lock, Locked
from modelshelf.package.record import Dependency


class Link(NamedTuple):
    """One package needs another: `by` is None where the project itself wants it.

    `on` is None where it is not there: what a model was made from need not be.
    """

    by: Locked | None
    name: str
    need: Dependency
    on: Locked | None


def wanted(lock: Lock) -> list[Link]:
    """What the project wants, by name."""
    return [
        Link(None, name, need, lock.find(name, name if need.isolated else ""))
        for name, need in sorted(lock.requirements.items())
    ]


def needs(lock: Lock, package: Locked) -> list[Link]:
    """What one package needs, and what it was made from, by name."""
    return [
        Link(package, name, need, lock.find(name, package.isolated))
        for name, need in sorted(package.dependencies.items())
    ]


def links(lock: Lock) -> Iterator[Link]:
    """Every need there is."""
    yield from wanted(lock)
    for package in lock.packages:
        yield from needs(lock, package)


def needed_by(lock: Lock, package: Locked) -> list[Link]:
    """Who needs `package`: the project first, then packages by name."""
    found = [each for each in links(lock) if each.on == package]
    return sorted(found, key=lambda each: each.by.name if each.by else "")


def reasons(lock: Lock, package: Locked) -> list[list[Link]]:
    """Why `package` is there: the shortest way to it from each package that the project wants."""
    found = []
    for start in wanted(lock):
        ways: dict[tuple[str, str], list[Link]] = {}
        waiting = [[start]]
        while waiting:
            way, *waiting = waiting
            last = way[-1].on
            if last is None or (key := (last.name, last.isolated)) in ways:
                continue
            ways[key] = way
            waiting += [[*way, each] for each in needs(lock, last) if each.need.kind != "base"]
        if way := ways.get((package.name, package.isolated), []):
            found.append(way)
    return found


def pruned(lock: Lock, wants: Mapping[str, Dependency]) -> Lock | None:
    """The lock without what `wants`, a part of its requirements, does not need.

    None where they are no part of them, or where what goes asked for something that stays: fewer
    of its models may do then, which has to be chosen anew.
    """
    if any(lock.requirements.get(name) != need for name, need in wants.items()):
        return None
    after = msgspec.structs.replace(lock, requirements=dict(wants))
    stays = {key for environment in lock.names for key in _reached(after.of(environment))}
    gone = [each for each in lock.packages if (each.name, each.isolated) not in stays]
    asked = {(name, each.isolated) for each in gone for name, _ in each.needed()}
    asked |= {
        (name, name if need.isolated else "")
        for name, need in lock.requirements.items()
        if name not in wants
    }
    if asked & stays:
        return None
    kept = tuple(each for each in lock.packages if (each.name, each.isolated) in stays)
    return msgspec.structs.replace(after, packages=kept)


def _reached(lock: Lock) -> set[tuple[str, str]]:
    """Name and `isolated` of every package that is needed."""
    found: set[tuple[str, str]] = set()
    waiting = wanted(lock)
    while waiting:
        package = waiting.pop().on
        if package and (key := (package.name, package.isolated)) not in found:
            found.add(key)
            waiting += [each for each in needs(lock, package) if each.need.kind != "base"]
    return found
