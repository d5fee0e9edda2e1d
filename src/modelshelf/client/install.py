"""Changing a shelf: `plan` decides which releases and artifacts, `apply` fetches and links them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import msgspec

from modelshelf.checks.safety.consent import carries_code, require_consent
from modelshelf.client import transfer
from modelshelf.client.http import Connection
from modelshelf.client.remote import Registry
from modelshelf.client.resolve import Index, resolve
from modelshelf.client.shelf import Shelf
from modelshelf.errors import Invalid, Refused
from modelshelf.package import composition
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock, Locked, locked
from modelshelf.package.record import Artifact, Dependency
from modelshelf.package.variant import chosen, negotiated
from modelshelf.package.version import Version, level
from modelshelf.store.disk import DiskStore


class Change(NamedTuple):
    """What happens to one package: `before` or `after` is None where it comes or goes."""

    name: str
    before: str | None
    after: str | None
    level: str | None
    bytes_to_fetch: int


class Plan(NamedTuple):
    """What a shelf will hold: nothing is fetched or written before `apply`."""

    lock: Lock
    entries: dict[str, Entry]
    fetch: dict[str, tuple[transfer.Wanted, ...]]
    changes: tuple[Change, ...]

    @property
    def bytes_to_fetch(self) -> int:
        """Sum over all files that the store lacks."""
        return sum(file.size for files in self.fetch.values() for file in files)


def plan(
    wanted: Mapping[str, Dependency],
    index: Index,
    before: Lock,
    *,
    registry: str,
    has: Callable[[str], bool],
    fresh: Collection[str] = (),
    consent: bool = False,
) -> Plan:
    """Decide what the shelf holds when it answers `wanted`.

    `has` tells whether the store holds a sha256; the packages `fresh` are not kept at their locked
    version. Raises NotFound, Unsatisfiable, Invalid where a pipeline does not fit together, and
    Refused where an artifact can carry code and `consent` is not given.
    """
    held = tuple(each for each in before.packages if each.name not in fresh)
    entries = resolve(wanted, index, msgspec.structs.replace(before, packages=held))
    require_composed(entries)
    needs = _needs(wanted, entries)
    packages = []
    for name, entry in sorted(entries.items()):
        selected = _selected(entry, needs[name])
        require_consent(_new(selected, before.find(name), entry), given=consent)
        packages.append(locked(entry, registry, frozenset(selected)))
    after = Lock(dict(wanted), tuple(packages))
    fetch = {each.name: _missing(each, has) for each in after.packages}
    return Plan(after, entries, fetch, _changes(before, after, fetch))


def apply(
    plan: Plan,
    text: str,
    shelf: Shelf,
    store: DiskStore,
    http: Connection,
    progress: transfer.Progress,
) -> None:
    """Fetch, verify, link, then write `text` as shelf.toml and the lock: until then nothing changed.

    The caller holds `shelf.writing()`. Raises what `transfer.fetch` raises. Killed between the
    two files, the shelf wants what the next `shelf install` brings.
    """
    for package in plan.lock.packages:
        release = f"{package.name}@{package.version}"
        transfer.fetch(http, store, plan.fetch[package.name], release=release, progress=progress)
    for package in plan.lock.packages:
        _place(shelf, store, package, plan.entries[package.name])
    if text != shelf.text():
        shelf.write_project(text)
    shelf.write_lock(plan.lock)
    shelf.prune(plan.lock)
    shelf.write_stamp()


def _place(shelf: Shelf, store: DiskStore, package: Locked, entry: Entry) -> None:
    folder = shelf.release(package)
    folder.mkdir(parents=True, exist_ok=True)
    for file in package.installed_files():
        target, source = folder / file.path, store.path(file.sha256)
        if not (target.exists() and target.samefile(source)):
            store.link(file.sha256, target)
    shelf.write_entry(package, msgspec.json.encode(entry).decode())


def _needs(
    wanted: Mapping[str, Dependency], entries: Mapping[str, Entry]
) -> dict[str, list[Dependency]]:
    """Who asks for each package: the shelf first, then the releases chosen."""
    needs: dict[str, list[Dependency]] = {name: [] for name in entries}
    for name, need in wanted.items():
        needs[name].append(need)
    for entry in entries.values():
        for name, need in entry.dependencies.items():
            needs[name].append(need)
    return needs


def _selected(entry: Entry, needs: list[Dependency]) -> dict[tuple[str, str], Artifact]:
    """The artifacts that answer every need, by (variant, format)."""
    found: dict[tuple[str, str], Artifact] = {}
    for need in needs:
        for variant in chosen(entry.variants, need):
            artifact = negotiated(variant, need, carries_code)
            found[variant.name, artifact.format] = artifact
    return found


def require_composed(entries: Mapping[str, Entry]) -> None:
    """Raise Invalid, with every problem, where models that run one after another do not fit."""
    found = [
        (entry, problem)
        for entry in entries.values()
        for problem in composition.problems(entry, lambda name, _wanted: entries.get(name))
        if not problem.warning
    ]
    if found:
        entry = found[0][0]
        told = {each.message: each._replace(file=f"{of.name} {of.version}") for of, each in found}
        raise Invalid(
            f"the pipeline of {entry.name} {entry.version} does not fit together",
            where=entry.name,
            problems=tuple(told.values()),
            hint="ask for releases that fit: shelf.toml holds the ranges",
        )


def _new(
    selected: Mapping[tuple[str, str], Artifact], held: Locked | None, entry: Entry
) -> list[Artifact]:
    """The artifacts that nobody consented to before: consent is for one release, not the next."""
    if held is None or held.manifest != entry.manifest:
        return list(selected.values())
    had = {(each.variant, each.format) for each in held.artifacts if each.installed}
    return [artifact for key, artifact in selected.items() if key not in had]


def _missing(package: Locked, has: Callable[[str], bool]) -> tuple[transfer.Wanted, ...]:
    files = {file.sha256: file.size for file in package.installed_files()}
    return tuple(transfer.Wanted(digest, size) for digest, size in files.items() if not has(digest))


def _changes(
    before: Lock, after: Lock, fetch: Mapping[str, tuple[transfer.Wanted, ...]]
) -> tuple[Change, ...]:
    names = sorted({each.name for each in (*before.packages, *after.packages)})
    changes = []
    for name in names:
        old, new = before.find(name), after.find(name)
        if old == new:
            continue
        versions = [each.version if each else None for each in (old, new)]
        step = (
            level(Version.parse(old.version), Version.parse(new.version))
            if old and new and old.version != new.version
            else None
        )
        size = sum(file.size for file in fetch.get(name, ()))
        changes.append(Change(name, versions[0], versions[1], step, size))
    return tuple(changes)


def require_same_registry(lock: Lock, url: str) -> None:
    """A locked package must not silently come from elsewhere (dependency confusion).

    Raises Refused.
    """
    other = next((each for each in lock.packages if each.registry != url), None)
    if other:
        raise Refused(
            f"{other.name} was installed from another registry",
            expected=other.registry,
            got=url,
            hint=f"name that one (--registry {other.registry}), or remove the package first",
        )


def index_of(registry: Registry) -> Index:
    """The registry's releases by package name, each asked for once."""
    known: dict[str, tuple[Entry, ...]] = {}

    def entries(name: str) -> tuple[Entry, ...]:
        if name not in known:
            known[name] = registry.entries(name)
        return known[name]

    return entries
