"""What `resolve` must answer, by trying everything; the rules are said anew, in other words.

Versions and ranges are those of the solver's tests. Ranges of Python's versions are sets of the few
numbers that matter for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import combinations
from typing import NamedTuple

from modelshelf.package.entry import Entry
from modelshelf.package.environment import Environment
from modelshelf.package.manifest import Resolution
from modelshelf.package.record import Artifact, Dependency, Variant
from tests.client.projects import FILES, NOW, Instance
from tests.solver.releases import means

NUMBERS = {"<2": {1}, ">=2": {2, 3}, ">=3": {3}, "<3": {1, 2}}
PYTHONS = {"": {"3.9", "3.11"}, "<3.10": {"3.9"}, ">=3.10": {"3.11"}}
TORCHES = {"1.13.0": 1, "2.4": 2}
RUNS = {"torch": {"pytorch", "safetensors"}, "onnxruntime": {"onnx"}, "jax": {"safetensors"}}
UNSAFE = {"pytorch"}
SIZES = {file.path: file.size for file in FILES}

Asked = tuple[tuple[str, Dependency], ...]


class Question(NamedTuple):
    """What is solved at once: one environment, and in it what is shared or one package apart."""

    instance: Instance
    environment: Environment
    wanted: Mapping[str, Dependency]
    locked: Mapping[str, str]
    preferred: Mapping[str, str]

    def usable(self, name: str) -> list[Entry]:
        """The releases that may be chosen here."""
        return [e for e in self.instance.shelf.get(name, ()) if self._usable(e)]

    def _usable(self, entry: Entry) -> bool:
        kept = self.locked.get(entry.name) == entry.version
        return works(entry, self.environment) and (
            kept or (free(entry) and not too_new(entry, self.instance.project.resolution))
        )

    def able(self, name: str, need: Dependency) -> list[Entry]:
        """Those of them that a need can be answered with."""
        return [
            entry
            for entry in self.usable(name)
            if means(need.version, entry.version) and chosen_of(entry, need, self.environment)
        ]


def questions(
    instance: Instance, found: Mapping[tuple[str, str], Mapping[str, str]]
) -> Iterator[tuple[tuple[str, str], Question]]:
    """All that is asked, in order; `found` holds what was answered before, and may grow meanwhile."""
    wants, lock = instance.project.dependencies, instance.lock
    for environment, facts in sorted(instance.project.places.items()):
        for isolated in ["", *sorted(name for name, need in wants.items() if need.isolated)]:
            known = not lock.requirements or environment not in lock.names
            locked = {
                each.name: each.version
                for each in lock.packages
                if each.isolated == isolated
                and each.name not in instance.fresh
                and (known or any(environment in a.environments for a in each.artifacts))
            }
            taken: dict[str, str] = {}
            for before in found.values():
                taken = {**before, **taken}
            wanted = {n: w for n, w in wants.items() if (n if w.isolated else "") == isolated}
            yield (environment, isolated), Question(instance, facts, wanted, locked, taken | locked)


def free(entry: Entry) -> bool:
    """Whether someone who does not have it yet may have it."""
    blocked = entry.scan and entry.scan.verdict == "blocked" and not entry.scan.decision
    return not (entry.yanked or entry.status == "quarantined" or blocked)


def too_new(entry: Entry, resolution: Resolution) -> bool:
    out = datetime.fromisoformat(entry.published)
    if resolution.exclude_newer:
        day = resolution.exclude_newer
        latest = datetime.fromisoformat(day if "T" in day else f"{day}T00:00:00+00:00")
        if out > latest:
            return True
    if resolution.min_release_age:
        count, unit = resolution.min_release_age.split()
        hours = int(count) * (24 if unit.startswith("day") else 1)
        return NOW - out < timedelta(hours=hours)
    return False


def works(entry: Entry, environment: Environment) -> bool:
    """Whether what is known of a machine is what the release needs."""
    asked = entry.requires
    pythons = PYTHONS[asked.python_version or ""]
    if environment.python and environment.python not in pythons:
        return False
    for name, version in environment.frameworks.items():
        if name in asked.frameworks and TORCHES[version] not in NUMBERS[asked.frameworks[name]]:
            return False
    return environment.hardware is None or {*asked.hardware} <= {*environment.hardware}


def chosen_of(entry: Entry, need: Dependency, environment: Environment) -> dict[str, Artifact]:
    """Variant → its artifact that is installed for `need`; nothing where the need is not answered."""
    found: dict[str, Artifact] = {}
    for variant in entry.variants:
        good = [each for each in variant.artifacts if good_for(each, variant, need, environment)]
        if good:
            found[variant.name] = min(good, key=lambda each: order(each, environment))
    if "*" in need.variants:
        return found
    if need.variants:
        named = {name: found[name] for name in need.variants if name in found}
        return named if len(named) == len(need.variants) else {}
    marked = [variant.name for variant in entry.variants if variant.default]
    names = [*marked, *(variant.name for variant in entry.variants)]
    if need.where is None:
        names = names[:1]
    return next(({name: found[name]} for name in names if name in found), {})


def order(artifact: Artifact, environment: Environment) -> tuple[int, int, bool]:
    """The first in this order is installed: preferred formats, preferred contexts, no code."""
    place = environment.formats.index(artifact.format) if environment.formats else 0
    usable = [n for n, each in enumerate(environment.contexts) if each in artifact.contexts]
    return place, usable[0] if usable else 0, artifact.format in UNSAFE


def good_for(
    artifact: Artifact, variant: Variant, need: Dependency, environment: Environment
) -> bool:
    if need.format and artifact.format != need.format:
        return False
    if environment.formats and artifact.format not in environment.formats:
        return False
    contexts = {need.context} if need.context else {*environment.contexts}
    if not contexts and not need.format:
        contexts = {"python"}
    if contexts and not contexts & {*artifact.contexts}:
        return False
    return all(met(each, artifact, variant) for each in (need.where or "").split(", ") if each)


def met(text: str, artifact: Artifact, variant: Variant) -> bool:
    return {
        "width<=0.5": variant.features["width"] == 0.5,
        "width>=1": variant.features["width"] == 1.0,
        "format=onnx": artifact.format == "onnx",
        "bytes<=10": SIZES[artifact.files[0]] <= 10,
    }[text]


class Exhaustive:
    """Every answer to a question that has nothing in it that is not needed."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.excluded = 0
        self._able: dict[tuple[str, int], list[Entry]] = {}

    def able(self, name: str, need: Dependency) -> list[Entry]:
        key = name, id(need)
        if key not in self._able:
            self._able[key] = self.question.able(name, need)
        return self._able[key]

    def answers(self) -> list[dict[str, Entry]]:
        every = list(self._extended({}, tuple(self.question.wanted.items())))
        left = [each for each in every if not self.contradictory(each)]
        self.excluded = len(every) - len(left)
        return left

    def _extended(self, chosen: dict[str, Entry], needs: Asked) -> Iterator[dict[str, Entry]]:
        if any(name in chosen and chosen[name] not in self.able(name, n) for name, n in needs):
            return
        waiting = (n for n, need in needs if need.kind != "base" and n not in chosen)
        name = next(waiting, None)
        if name is None:
            yield chosen
            return
        for entry in self.question.usable(name):
            more = tuple(entry.dependencies.items())
            yield from self._extended({**chosen, name: entry}, needs + more)

    def contradictory(self, chosen: Mapping[str, Entry]) -> bool:
        """Whether two of the releases need what one Python cannot have."""
        needs = list(self.question.wanted.items())
        for entry in chosen.values():
            needs += [(n, need) for n, need in entry.dependencies.items() if need.kind != "base"]
        python = [self.python(e, [x for n, x in needs if n == e.name]) for e in chosen.values()]
        return any(
            one[key].isdisjoint(two[key])
            for one, two in combinations(python, 2)
            for key in {*one} & {*two}
        )

    def python(self, entry: Entry, needs: list[Dependency]) -> dict[str, set[object]]:
        """What the release leaves open of Python, of its packages and of frameworks that run it."""
        asked = entry.requires
        found: dict[str, set[object]] = {}
        if asked.python_version:
            found["python"] = {*PYTHONS[asked.python_version]}
        for text in asked.python:
            found["numpy"] = {*NUMBERS[text.removeprefix("numpy")]}
        formats = {
            artifact.format
            for need in needs
            for artifact in chosen_of(entry, need, self.question.environment).values()
        }
        for word, wanted in asked.frameworks.items():
            if RUNS[word] & formats:
                found[word] = {*NUMBERS[wanted]}
        return found

    def firm(self) -> dict[str, str]:
        """What is preferred and reached from what is wanted through what is preferred."""
        kept: dict[str, str] = {}
        waiting = list(self.question.wanted.items())
        while waiting:
            name, need = waiting.pop()
            version = self.question.preferred.get(name)
            for entry in self.able(name, need):
                if need.kind != "base" and name not in kept and entry.version == version:
                    kept[name] = entry.version
                    waiting += entry.dependencies.items()
        return kept
