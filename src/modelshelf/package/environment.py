"""Environments: facts of the machines that a lock is made for, whatever machine it is made on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from modelshelf.package.python_range import admits, compatible, parsed
from modelshelf.package.record import Requires

_BEGUN = re.compile(r"\d+(\.\d+)?")

DEFAULT = "default"
"""What the environment of a project is called that names none."""


class Environment(msgspec.Struct, frozen=True, omit_defaults=True):
    """`[environments.NAME]` of a `shelf.toml`; what is not said of a machine is not asked of it.

    `python` and the versions of `frameworks` are exact (`3.11`, `{ torch = "2.4.0" }`); `hardware`
    is all that there is (`["cuda"]`, `[]` for none); `contexts` and `formats` are those that the
    machine can use, the preferred ones first.
    """

    python: str | None = None
    frameworks: dict[str, str] = {}
    hardware: tuple[str, ...] | None = None
    contexts: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()


ANYWHERE: Mapping[str, Environment] = {DEFAULT: Environment()}
"""The environments of a project that names none."""


def unmet(requires: Requires, environment: Environment) -> Iterator[str]:
    """What of `requires` does not hold in `environment`: `python 3.9 is not >=3.11`."""
    if environment.python and requires.python_version:
        yield from _outside("python", environment.python, requires.python_version)
    for name, version in environment.frameworks.items():
        if name in requires.frameworks:
            yield from _outside(name, version, requires.frameworks[name])
    if environment.hardware is not None:
        there = {each.lower() for each in environment.hardware}
        lacking = sorted({each.lower() for each in requires.hardware} - there)
        yield from (f"there is no {each}" for each in lacking)


def _outside(name: str, version: str, wanted: str) -> Iterator[str]:
    if not _inside(version, wanted):
        yield f"{name} {version} is not {wanted}"


@lru_cache(4096)
def _inside(version: str, wanted: str) -> bool:
    """Whether a version lies in a PEP 440 range; `3.11` stands for every 3.11.x.

    In what is no range nothing lies.
    """
    if wanted == "*":
        return True
    if parsed(wanted) is None:
        return False
    if _BEGUN.fullmatch(version):
        return compatible(wanted, f"=={version}.*")
    return admits(wanted, version) is not False
