"""Changing a shelf: `plan` decides which releases and artifacts, `apply` fetches and links them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from modelshelf.checks.safety.consent import carries_code, require_consent
from modelshelf.client import roots, transfer
from modelshelf.client.resolve import Choice, resolve
from modelshelf.client.settings import Settings
from modelshelf.client.shelf import Shelf
from modelshelf.client.sources import Index, Sources
from modelshelf.errors import IntegrityError, Invalid, LockStale, NetworkError, NotFound
from modelshelf.package import composition
from modelshelf.package import lock as locks
from modelshelf.package.answer import unanswered
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock, Locked, described, locked
from modelshelf.package.manifest import Project
from modelshelf.package.path import ENTRY
from modelshelf.package.record import Artifact, Dependency
from modelshelf.package.variant import Key, selected
from modelshelf.package.version import Version, level
from modelshelf.store.disk import DiskStore


class Change(NamedTuple):
    """What happens to one package: `before` or `after` is None where it comes or goes.

    Several versions at once (in several environments, or isolated) are joined by a comma.
    """

    name: str
    before: str | None
    after: str | None
    level: str | None
    bytes_to_fetch: int


class Coming(NamedTuple):
    """A file that the store lacks, as `transfer.Wanted`, and the bytes that bringing it moves."""

    sha256: str
    size: int
    before: str | None
    moved: int


class Plan(NamedTuple):
    """What a shelf will hold: nothing is fetched or written before `apply`.

    `lock` is for all environments, `held` what `environment` sees of it; `fetch` are the files
    that the store lacks, by (name, isolated). `text` is that of a lock that was made before.
    """

    lock: Lock
    environment: str
    held: Lock
    fetch: dict[tuple[str, str], tuple[Coming, ...]]
    changes: tuple[Change, ...]
    text: str | None = None

    @property
    def bytes_to_fetch(self) -> int:
        """What is moved for all files that the store lacks."""
        return sum(file.moved for files in self.fetch.values() for file in files)

    @property
    def bytes_coming(self) -> int:
        """The sizes of all files that the store lacks."""
        return sum(file.size for files in self.fetch.values() for file in files)


class Stock(NamedTuple):
    """What is on this machine: whether the store `has` a sha256, and what files cost that it lacks.

    `costs` of files from a registry, by its URL, are the bytes that bringing them moves, by sha256.
    """

    has: Callable[[str], bool]
    costs: Callable[[str, list[transfer.Wanted]], Mapping[str, int]]


def plan(
    project: Project,
    index: Index,
    before: Lock,
    *,
    environment: str,
    stock: Stock,
    now: datetime,
    fresh: Collection[str] = (),
    consent: bool = False,
) -> Plan:
    """Decide what the shelf holds when it answers `project`.

    The packages `fresh` are not kept at their locked version. Raises NotFound, Unsatisfiable,
    Invalid where a pipeline does not fit together, and Refused where an artifact can carry code
    and `consent` is not given.
    """
    choice = resolve(project, index, before, now=now, fresh=fresh)
    for entries in choice.values():
        require_composed(entries)
    packages = tuple(_packages(project, choice, index))
    for package in packages:
        require_consent(_new(package, before), given=consent)
    after = Lock(project.dependencies, project.environments, packages)
    return planned(before, after, environment, stock)


def keep(lock: Lock, environment: str, stock: Stock, *, text: str) -> Plan:
    """The plan that puts a lock in force as it is (its `text`) and brings what files are missing."""
    return planned(lock, lock, environment, stock)._replace(text=text)


def stale(lock: Lock, project: Project) -> str | None:
    """Why `lock` does not answer `project`, or None where it does."""
    if lock.environments != project.environments:
        return "the environments changed"
    wanted = project.dependencies
    if lock.requirements != wanted:
        names = sorted({*lock.requirements, *wanted})
        other = next(name for name in names if lock.requirements.get(name) != wanted.get(name))
        return f"what is asked of {other} changed"
    return unanswered(lock)


def apply(
    plan: Plan,
    text: str,
    shelf: Shelf,
    store: DiskStore,
    sources: Sources,
    settings: Settings,
    *,
    progress: transfer.Progress,
    received: transfer.Progress = lambda _count: None,
    done: str,
) -> transfer.Moved:
    """Fetch, verify, link, then write `text` as the project and the lock: until then nothing changed.

    The caller holds `shelf.writing()`; `done` tells the generation what was done. Raises what
    `transfer.fetch` raises. Killed between the two files, the shelf wants what the next `shelf
    sync` brings.
    """
    made = plan.text is None
    lock_text = locks.dumps(plan.lock) if plan.text is None else plan.text
    with store.quiet():
        roots.register(settings.home, shelf.root)
        shelf.write_next(lock_text)
    entries = []
    for package in plan.held.packages:
        with _naming(package):
            entries.append(_entry(package, _manifest(package, store, sources), made=made))
    moved: list[transfer.Moved] = []
    former = {file.sha256: file.before for files in plan.fetch.values() for file in files}
    for package in plan.held.packages:
        files = [
            transfer.Wanted(file.sha256, file.size, former.get(file.sha256))
            for file in package.installed_files()
        ]
        release = f"{package.name}@{package.version}"
        connect = partial(sources.http, package.registry)
        with _naming(package):
            moved.append(
                transfer.fetch(
                    connect, store, files, release=release, progress=progress, received=received
                )
            )
    for package, entry in zip(plan.held.packages, entries, strict=True):
        _place(shelf, store, package, entry)
    if made:
        shelf.generations.add(shelf.lock_text(), lock_text, plan.environment, done)
    if text != shelf.text():
        shelf.write_project(text)
    shelf.write_lock(lock_text, plan.environment)
    shelf.prune(plan.held)
    shelf.write_stamp(plan.held)
    return transfer.Moved.together(moved)


@contextmanager
def _naming(package: Locked) -> Iterator[None]:
    """Let an error of the network tell which release it kept away."""
    try:
        yield
    except NetworkError as error:
        named = f"{package.name} {package.version}"
        error.where = f"{named}, {error.where}" if error.where else named
        raise


def _packages(project: Project, choice: Choice, index: Index) -> Iterator[Locked]:
    """What the lock says of each release chosen, with the artifacts for each environment."""
    wanted: dict[tuple[str, str, str], dict[Key, tuple[str, ...]]] = {}
    entries: dict[tuple[str, str, str], Entry] = {}
    for (environment, isolated), chosen in choice.items():
        needs = _needs(project.dependencies, isolated, chosen)
        for name, entry in chosen.items():
            key = name, isolated, entry.version
            entries[key] = entry
            found = wanted.setdefault(key, {})
            for need in needs[name]:
                for artifact in selected(entry, need, project.places[environment], carries_code):
                    known = found.get(artifact, ())
                    found[artifact] = tuple(dict.fromkeys((*known, environment)))
    for key in sorted(entries):
        name, isolated, _ = key
        yield locked(entries[key], index(name, None).registry, wanted[key], isolated)


def _needs(
    wanted: Mapping[str, Dependency], isolated: str, entries: Mapping[str, Entry]
) -> dict[str, list[Dependency]]:
    """Who asks for each package: the shelf first, then the releases chosen."""
    needs: dict[str, list[Dependency]] = {name: [] for name in entries}
    for name, need in wanted.items():
        if (name == isolated) if isolated else not need.isolated:
            needs[name].append(need)
    for entry in entries.values():
        for name, need in entry.dependencies.items():
            if name in needs and need.kind != "base":
                needs[name].append(need)
    return needs


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


def _new(package: Locked, before: Lock) -> list[Artifact]:
    """The artifacts that nobody consented to before: consent is for one release, not the next."""
    had = {
        each.key
        for known in before.packages
        if (known.name, known.manifest) == (package.name, package.manifest)
        for each in known.installed
    }
    return [
        Artifact(each.format, tuple(file.path for file in each.files))
        for each in package.installed
        if each.key not in had
    ]


def planned(before: Lock, after: Lock, environment: str, stock: Stock) -> Plan:
    """What it takes to go from one lock to another, as this machine, the `environment`, sees it."""
    held = after.of(environment)
    seen: set[str] = set()
    lacking: dict[tuple[str, str], list[transfer.Wanted]] = {}
    asked: dict[str, list[transfer.Wanted]] = {}
    former = _former(before)
    for package in held.packages:
        files = {
            file.sha256: transfer.Wanted(
                file.sha256, file.size, former.get((package.name, file.path))
            )
            for file in package.installed_files()
        }
        missing = [digest for digest in files if digest not in seen and not stock.has(digest)]
        seen.update(missing)
        wanted = [files[digest] for digest in missing]
        lacking[package.name, package.isolated] = wanted
        asked.setdefault(package.registry, []).extend(wanted)
    moved: dict[str, int] = {}
    for registry, all_wanted in asked.items():
        moved |= stock.costs(registry, all_wanted) if all_wanted else {}
    fetch = {
        key: tuple(Coming(*file, moved[file.sha256]) for file in wanted)
        for key, wanted in lacking.items()
    }
    made = Plan(after, environment, held, fetch, ())
    return made._replace(changes=changes(before, made))


def _former(lock: Lock) -> dict[tuple[str, str], str]:
    """The files that a lock names, by package and path."""
    return {(p.name, file.path): file.sha256 for p in lock.packages for file in p.installed_files()}


def changes(before: Lock, plan: Plan) -> tuple[Change, ...]:
    """What the lock of `plan` has otherwise than `before`, by name."""
    return tuple(_changes(before, plan.lock, plan.fetch))


def _changes(
    before: Lock, after: Lock, fetch: Mapping[tuple[str, str], tuple[Coming, ...]]
) -> Iterator[Change]:
    def grouped(lock: Lock) -> dict[str, list[Locked]]:
        ordered = sorted(lock.packages, key=lambda each: each.name)
        return {name: [*each] for name, each in groupby(ordered, lambda each: each.name)}

    old, new = grouped(before), grouped(after)
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            continue
        was, now = (_versions(side.get(name, [])) for side in (old, new))
        size = sum(f.moved for (of, _), files in fetch.items() if of == name for f in files)
        yield Change(name, was, now, _step(was, now), size)


def _versions(packages: list[Locked]) -> str | None:
    found = sorted({each.version for each in packages}, key=Version.parse)
    return ", ".join(found) or None


def _step(was: str | None, now: str | None) -> str | None:
    if was is None or now is None or was == now or "," in was + now:
        return None
    return level(Version.parse(was), Version.parse(now))


def _manifest(package: Locked, store: DiskStore, sources: Sources) -> bytes:
    """The document that describes the release: of the store, else of its registry, then kept."""
    if store.has(package.manifest):
        found = store.path(package.manifest).read_bytes()
        if hashlib.sha256(found).hexdigest() == package.manifest:
            return found
        store.delete(package.manifest)  # damaged on the disk: it is asked for again
    try:
        document = sources.registry(package.registry).manifest(package.manifest)
    except NotFound:
        raise LockStale(
            f"the registry has no release {package.name} {package.version} as the lock names it",
            where=package.registry,
            got=package.manifest,
            hint="was the lock changed by hand? Delete the package's lines, then run: shelf lock",
        ) from None
    store.put(document, package.manifest)
    return document


def _entry(package: Locked, document: bytes, *, made: bool) -> Entry:
    """The release as its document describes it; where the lock was made just now, from the index."""
    try:
        return described(package, document)
    except LockStale as error:
        if not made:
            raise
        raise IntegrityError(
            f"the registry's index says other things of {package.name} {package.version} than its "
            "manifest",
            where=package.registry,
            hint="do not trust it; ask its operator",
        ) from error


def _place(shelf: Shelf, store: DiskStore, package: Locked, entry: Entry) -> None:
    folder = shelf.release(package)
    folder.mkdir(parents=True, exist_ok=True)
    for file in package.installed_files():
        target, source = folder / file.path, store.path(file.sha256)
        if not (target.exists() and target.samefile(source)):
            store.link(file.sha256, target)
    text = msgspec.json.encode(entry).decode()
    if not _holds(folder / ENTRY, text):
        shelf.write_entry(package, text)


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False
