"""Lints of what must be there around the models: Python, packages, frameworks, hardware, runtimes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PythonRequirement
from packaging.utils import canonicalize_name

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import Artifacts, artifacts
from modelshelf.checks.ranges import lost_python
from modelshelf.package.record import Artifact, Cost

GROWTH = 1.5
"""How many times its size a resource may become before callers should know."""


class Wanted(NamedTuple):
    """A Python requirement without its versions: a package, its extras, its place, its marker."""

    name: str
    extras: str = ""
    url: str = ""
    marker: str = ""

    def __str__(self) -> str:
        """As a requirement is written."""
        return f"{self.name}{self.extras}{self.url}{self.marker}"


def _packages(contract: Contract) -> dict[Wanted, str]:
    """What is wanted → its versions, all of which must hold; unreadable ones stand for themselves."""
    found: dict[Wanted, str] = {}
    for text in contract.record.requires.python:
        try:
            wanted, versions = _wanted(PythonRequirement(text))
        except InvalidRequirement:
            wanted, versions = Wanted(text), ""
        found[wanted] = ",".join(each for each in (found.get(wanted), versions) if each)
    return found


def _wanted(requirement: PythonRequirement) -> tuple[Wanted, str]:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    url = f" @ {requirement.url}" if requirement.url else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    name = canonicalize_name(requirement.name)
    return Wanted(name, extras, url, marker), str(requirement.specifier)


def _more(old: Contract, new: Contract) -> list[Wanted]:
    before = _packages(old)
    return [name for name in _packages(new) if name not in before]


def _python_added(pair: Pair) -> Iterator[Found]:
    for name in _more(pair.old, pair.new):
        yield Found(f"needs the Python package {name} too", "requires.python")


def _python_removed(pair: Pair) -> Iterator[Found]:
    for name in _more(pair.new, pair.old):
        yield Found(f"does not need the Python package {name} any more", "requires.python")


class Ranged(NamedTuple):
    """A version range of both releases."""

    what: str
    place: str
    old: str
    new: str

    @property
    def message(self) -> str:
        """`numpy: >=1.26 became >=2.0`."""
        return f"{self.what}: {self.old or 'any version'} became {self.new or 'any version'}"


def _python_ranges(pair: Pair) -> Iterator[Ranged]:
    """The same package before and after; with other extras or markers it is still that package."""
    before, after = _packages(pair.old), _packages(pair.new)
    for wanted, versions in after.items():
        had = [wanted] if wanted in before else [w for w in before if w.name == wanted.name]
        if had and not wanted.url:
            old = ",".join(before[each] for each in had if before[each])
            yield Ranged(str(wanted), "requires.python", old, versions)


def _interpreters(pair: Pair) -> Iterator[Ranged]:
    old, new = (each.record.requires.python_version or "" for each in pair)
    yield Ranged("Python", "requires.python_version", old, new)


def _framework_ranges(pair: Pair) -> Iterator[Ranged]:
    after = pair.new.record.requires.frameworks
    for name, old in pair.old.record.requires.frameworks.items():
        if name in after:
            yield Ranged(name, f"requires.frameworks.{name}", old, after[name])


def _narrower(ranges: Iterator[Ranged]) -> Iterator[Found]:
    for each in ranges:
        version = lost_python(each.old, each.new)
        if version is not None:
            yield Found(each.message, each.place, f"{each.what} {version}")


def _wider(pair: Pair) -> Iterator[Found]:
    for each in (*_python_ranges(pair), *_interpreters(pair), *_framework_ranges(pair)):
        if lost_python(each.old, each.new) is None and lost_python(each.new, each.old) is not None:
            yield Found(each.message, each.place)


def _framework_added(pair: Pair) -> Iterator[Found]:
    before = pair.old.record.requires.frameworks
    for name, wanted in pair.new.record.requires.frameworks.items():
        if name not in before:
            yield Found(f"needs {name} {wanted} too", f"requires.frameworks.{name}")


def _framework_removed(pair: Pair) -> Iterator[Found]:
    after = pair.new.record.requires.frameworks
    for name in pair.old.record.requires.frameworks:
        if name not in after:
            yield Found(f"does not need {name} any more", "requires.frameworks")


def _hardware(old: Contract, new: Contract) -> list[str]:
    before = old.record.requires.hardware
    return [each for each in new.record.requires.hardware if each not in before]


def _hardware_added(pair: Pair) -> Iterator[Found]:
    for each in _hardware(pair.old, pair.new):
        yield Found(f"needs {each}", "requires.hardware", f"a machine without {each}")


def _hardware_removed(pair: Pair) -> Iterator[Found]:
    for each in _hardware(pair.new, pair.old):
        yield Found(f"does not need {each} any more", "requires.hardware")


def _opset(contract: Contract, offered: tuple[Artifact, ...]) -> int | None:
    """The lowest operator set among `offered`, declared or as the files say."""
    found = []
    for artifact in offered:
        facts = contract.facts.get(artifact.first)
        said = artifact.opset or (facts.opset if facts else None)
        found += [said] if said is not None else []
    return min(found, default=None)


def _opset_raised(pair: Pair) -> Iterator[Found]:
    for each in artifacts(pair):
        old, new = _opset(pair.old, each.old), _opset(pair.new, each.new)
        if old is not None and new is not None and new > old:
            message = f"{each}: operator set {old} became {new}"
            yield Found(message, each.place, f"a runtime that knows operator sets up to {old}")


def _resources(contract: Contract, offered: tuple[Artifact, ...]) -> dict[str, int]:
    """What an artifact takes: the least that one of `offered` does."""
    found: dict[str, list[int]] = {}
    for artifact in offered:
        sizes = [contract.files[path].size for path in artifact.files if path in contract.files]
        if artifact.files and len(sizes) == len(artifact.files):
            found.setdefault("bytes", []).append(sum(sizes))
        cost = artifact.cost or Cost("")
        for word, value in (
            ("multiply-accumulates", cost.macs),
            ("bytes of memory", cost.peak_memory),
        ):
            if value is not None:
                found.setdefault(word, []).append(value)
    return {word: min(values) for word, values in found.items()}


def _grown(pair: Pair) -> Iterator[Found]:
    for each in artifacts(pair):
        yield from _grown_artifact(each, pair)


def _grown_artifact(each: Artifacts, pair: Pair) -> Iterator[Found]:
    before, after = _resources(pair.old, each.old), _resources(pair.new, each.new)
    for word, old in before.items():
        new = after.get(word, 0)
        if new > GROWTH * old:
            yield Found(f"{each}: {old} {word} became {new}", each.place)


LINTS: tuple[Lint, ...] = (
    Lint(
        "python-requirement-added", "minor",
        "One more Python package must be there. Installers add it beside what is there; no call fails "
        "for that.",
        _python_added, None, "Install the package.",
    ),
    Lint(
        "python-requirement-removed", "patch", "A Python package need not be there any more.",
        _python_removed,
    ),
    Lint(
        "python-requirement-narrowed", "major",
        "A version of a Python package that was good enough is not any more. An environment that ran "
        "the old release may not run this one.",
        lambda pair: _narrower(_python_ranges(pair)), None, "Change the package's version.",
    ),
    Lint(
        "python-floor-raised", "major",
        "A Python that was good enough is not any more.",
        lambda pair: _narrower(_interpreters(pair)), None, "Use a Python that the release names.",
    ),
    Lint(
        "framework-floor-raised", "major",
        "A version of a framework that was good enough is not any more. Frameworks are what "
        "environments change last.",
        lambda pair: _narrower(_framework_ranges(pair)), None, "Change the framework's version.",
    ),
    Lint(
        "requirement-widened", "patch",
        "More versions of Python, a package or a framework are good enough.",
        _wider,
    ),
    Lint(
        "framework-added", "minor",
        "A further framework must be there. Like a Python package it is added beside what is there.",
        _framework_added, None, "Install the framework.",
    ),
    Lint("framework-removed", "patch", "A framework is not needed any more.", _framework_removed),
    Lint(
        "hardware-added", "major",
        "The models need hardware that they did not need. No installer can add it.",
        _hardware_added, None, "Stay on the old release on machines without it.",
    ),
    Lint(
        "hardware-removed", "patch", "Hardware that was needed is not any more: more machines do.",
        _hardware_removed,
    ),
    Lint(
        "opset-raised", "major",
        "An artifact needs a newer operator set. Runtimes that are bundled with applications or live "
        "in browsers and devices do not know it and refuse the file.",
        _opset_raised, None, "Upgrade the runtime.",
    ),
    Lint(
        "resource-grown", "minor",
        "An artifact takes more than one and a half times the bytes, multiply-accumulates or memory. "
        "It does the same, but a tight budget may not hold; no caller was promised a size.",
        _grown, None, "Check time and memory where they are tight.",
    ),
)  # fmt: skip
