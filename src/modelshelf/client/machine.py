"""What this machine has of what models need: Python, its packages, the hardware; what is lacking.

Only what is asked for is looked up, nothing of it is imported.
"""

from __future__ import annotations

import logging
import platform
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from modelshelf.checks.safety.consent import carries_code
from modelshelf.client.released import release_of
from modelshelf.client.shelf import Shelf
from modelshelf.errors import Refused
from modelshelf.package import python_needs
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock
from modelshelf.package.python_needs import Facts, Mismatch, Need
from modelshelf.package.record import Requires

most_rounds = 5
"""How often what extras ask for is looked up, to see which extras that asks for."""
_DEVICES = {
    "cuda": ("/dev/nvidiactl", "/dev/dxg"),
    "rocm": ("/dev/kfd",),
    "gpu": ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/dev/dri"),
}
"""What the kernel of Linux shows where its driver has found the hardware."""
_log = logging.getLogger("modelshelf")


def lacking(shelf: Shelf, lock: Lock) -> list[Mismatch]:
    """What of all that the packages of `lock` need is not there; by their order.

    All their Python packages count, also where no artifact needs them to load: callers may.
    Raises LockStale where a release is not all there.
    """
    found: list[Mismatch] = []
    for package in lock.packages:
        entry = release_of(shelf, package)
        formats = {each.format for each in package.artifacts if each.installed}
        found += unmet(entry, python_needs.needed(entry.requires, dict.fromkeys(formats, True)))
    return found


def require_met(entry: Entry, format_name: str) -> None:
    """Raise Refused where code of the publisher would run without what it needs.

    A format that carries no code is up to its runtime: what is lacking is only logged.
    """
    code = carries_code(format_name)
    found = unmet(entry, python_needs.needed(entry.requires, {format_name: code}))
    if found and code:
        raise Refused(
            str(found[0]),
            where=f"{entry.name} {entry.version}",
            expected=", ".join(each.need for each in found),
            hint="shelf export requirements writes what the models need, for pip or uv",
        )
    for each in found:
        _log.warning("%s", each)


def unmet(entry: Entry, requires: Requires) -> list[Mismatch]:
    """What of `requires`, which is (part of) what the release needs, is not there."""
    if requires == Requires():
        return []
    who = f"{entry.name} {entry.version}"
    return python_needs.mismatches(who, requires, facts(python_needs.needs(requires)))


def facts(asked: Iterable[Need]) -> Facts:
    """What this machine has of what is asked for, and of what the extras asked for ask for."""
    from packaging.markers import default_environment

    asked = set(asked)
    markers = {name: str(value) for name, value in default_environment().items()}
    found = Facts(platform.python_version(), {}, markers, {}, hardware())
    for _ in range(most_rounds):
        names = python_needs.distributions(asked) - found.installed.keys()
        extras = {each.distributions[0] for each in asked if each.extras}
        found = Facts(
            found.python,
            {**found.installed, **_versions(names)},
            markers,
            {name: tuple(_requirements(name)) for name in extras},
            found.hardware,
        )
        more = {each for need in asked for each in python_needs.extras_of(need, found)}
        if more <= asked:
            break
        asked |= more
    return found


def _versions(names: Iterable[str]) -> dict[str, str | None]:
    """Of each distribution the version, None where it is not there; of a broken one nothing."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            version: object = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
        except (KeyError, OSError, ValueError):
            continue  # its metadata cannot be read
        else:
            if isinstance(version, str):
                found[name] = version
    return found


def _requirements(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return []


def hardware() -> dict[str, bool]:
    """Which hardware is there, as far as the system shows it to everyone without a driver's library.

    Words that are missing are not known.
    """
    found = {"cpu": True}
    if sys.platform == "linux":
        found |= {w: any(Path(d).exists() for d in devices) for w, devices in _DEVICES.items()}
        found["mps"] = False
    elif sys.platform == "darwin":
        found |= {"cuda": False, "rocm": False, "mps": platform.machine() == "arm64"}
    return found
