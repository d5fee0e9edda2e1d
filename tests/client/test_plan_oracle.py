"""Locks of random projects: written and read, they answer what was asked, also with less of it."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest

from modelshelf.client.install import Stock, plan, stale
from modelshelf.client.resolve import resolve
from modelshelf.errors import Invalid, NotFound, Refused, Unsatisfiable
from modelshelf.package.answer import unanswered
from modelshelf.package.graph import pruned
from modelshelf.package.lock import Lock, dumps, loads
from modelshelf.package.manifest import Project
from tests.client.projects import NOW, Instance, random_instance

pytestmark = pytest.mark.no_cover  # counting lines triples the time of a search

SEEDS, EACH = 5, 400
NOTHING = Stock(lambda _digest: False, lambda _registry, files: {f.sha256: f.size for f in files})
KINDS = ("locks", "several", "environments", "apart", "pruned", "chosen anew")


def planned(instance: Instance, project: Project, before: Lock, fresh: tuple[str, ...] = ()) -> str:
    """The text of the lock that is planned."""
    environment = next(iter(project.places))
    made = plan(
        project,
        instance.offer,
        before,
        environment=environment,
        stock=NOTHING,
        now=NOW,
        fresh=fresh,
        consent=True,
    )
    assert made.held == made.lock.of(environment)
    return dumps(made.lock)


def check(instance: Instance, chance: random.Random, seen: Counter[str]) -> None:
    """A lock answers its project, stays as it is, and answers a part of it."""
    try:
        text = planned(instance, instance.project, instance.lock, instance.fresh)
    except (NotFound, Refused, Unsatisfiable, Invalid) as error:
        seen[type(error).__name__] += 1
        return
    lock = loads(text)
    assert dumps(lock) == text
    assert unanswered(lock) is None
    assert stale(lock, instance.project) is None
    check_environments(instance, lock)
    assert planned(instance, instance.project, lock) == text
    seen["locks"] += 1
    seen["several"] += len(lock.packages) > 2
    seen["environments"] += len(lock.names) > 1
    seen["apart"] += any(each.isolated for each in lock.packages)
    check_pruned(instance, lock, chance, seen)


def check_environments(instance: Instance, lock: Lock) -> None:
    """Each environment sees what was chosen for it, and nothing else."""
    choice = resolve(instance.project, instance.offer, instance.lock, now=NOW, fresh=instance.fresh)
    for environment in lock.names:
        chosen = {
            (name, isolated, entry.version)
            for (where, isolated), entries in choice.items()
            for name, entry in entries.items()
            if where == environment
        }
        packages = lock.of(environment).packages
        assert chosen == {(each.name, each.isolated, each.version) for each in packages}
        assert len(chosen) == len(packages)


def check_pruned(instance: Instance, lock: Lock, chance: random.Random, seen: Counter[str]) -> None:
    """Less of what is wanted leaves what a new plan would hold, or says that it cannot tell."""
    wants = {n: need for n, need in lock.requirements.items() if chance.random() < 0.5}
    less = pruned(lock, wants)
    if less is None:
        seen["chosen anew"] += 1
        return
    assert less.requirements == wants
    assert unanswered(less) is None
    project = msgspec.structs.replace(instance.project, dependencies=wants)
    assert dumps(less) == planned(instance, project, lock)
    seen["pruned"] += bool(wants) and len(less.packages) < len(lock.packages)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_locks_answer_what_they_say(seed: int) -> None:
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(EACH):
        check(random_instance(chance), chance, seen)
    assert all(seen[kind] for kind in KINDS), seen
