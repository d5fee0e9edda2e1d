"""What a release is compared with: contracts of the registry, contracts of folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from modelshelf import checks
from modelshelf.checks.contract import Contract, contract
from modelshelf.client.remote import Registry, newest
from modelshelf.errors import NotFound, UsageError
from modelshelf.package import manifest
from modelshelf.package import name as names
from modelshelf.package.composition import Find
from modelshelf.package.entry import Entry, answering, predecessor
from modelshelf.package.record import Dependency, Record


class Around(NamedTuple):
    """What a check asks of the world: the release before a record, and releases it depends on."""

    before: Callable[[Record], Contract | None]
    find: Find


ALONE = Around(lambda _record: None, lambda _name, _wanted: None)
"""Nothing is known but the folder itself."""


def around(registry: Registry) -> Around:
    """Ask `registry`; what it does not know is None."""

    def find(name: str, wanted: Dependency) -> Entry | None:
        if wanted.registry is not None:
            return None
        return answering(_entries(registry, name), wanted)

    return Around(lambda record: before(registry, record), find)


def before(registry: Registry, record: Record, *, inclusive: bool = False) -> Contract | None:
    """The contract of the release that comes before the one in `record`; None for a first one.

    With `inclusive` that is the release of the same version, where it is published already.
    """
    package = record.package
    entries = _entries(registry, package.name)
    same = (each for each in entries if inclusive and each.version == package.version)
    found = next(same, None) or predecessor(entries, package.version)
    return registry.contract(package.name, found.version) if found else None


def side(registry: Registry, text: str) -> Contract:
    """One side of a comparison: `NAME@VERSION`, NAME for its newest release, or a folder.

    Raises NotFound, Invalid.
    """
    if is_folder(text):
        return of_folder(Path(text))
    name, _, version = text.partition("@")
    names.parse(name)
    return registry.contract(name, version or newest(registry.entries(name)).version)


def pair(registry: Registry, old: str, new: str | None) -> tuple[Contract, Contract]:
    """Both sides, the older one first; where one is named, it is compared with what was before it.

    A folder whose version is published already is compared with that release. Raises NotFound where there was nothing before.
    """
    if new is not None:
        return side(registry, old), side(registry, new)
    one = side(registry, old)
    earlier = before(registry, one.record, inclusive=is_folder(old))
    if earlier is None:
        package = one.record.package
        raise NotFound(
            f"there is no release of {package.name} before {package.version}",
            where=registry.url,
            hint="name both sides: shelf diff A B",
        )
    return earlier, one


def of_folder(folder: Path) -> Contract:
    """The contract of what lies in `folder`; raises Invalid where its manifest is not in order."""
    path = folder / manifest.FILE
    if not path.is_file():
        raise UsageError(f"there is no {manifest.FILE} in {folder}", hint="begin with: shelf init")
    with path.open("rb") as file:
        record = manifest.parse(file.read(manifest.largest_manifest_bytes + 1))
    return contract(folder, record, checks.stage(folder, record).facts)


def is_folder(text: str) -> bool:
    """Whether `text` means a folder: a name of a package counts as one where that has a manifest."""
    if text in (".", "..") or text.startswith(("/", "./", "../", "~")):
        return True
    return "@" not in text and (Path(text) / manifest.FILE).is_file()


def _entries(registry: Registry, name: str) -> tuple[Entry, ...]:
    try:
        return registry.entries(name)
    except NotFound:
        return ()
