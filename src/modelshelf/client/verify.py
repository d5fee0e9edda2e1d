"""Whether files are what they should be: those of a shelf against its lock, those of a store.

`plan` lists what is to be read, `run` reads it; nothing is changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from modelshelf.client.care import needed
from modelshelf.client.shelf import Shelf
from modelshelf.errors import LockStale
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock, Locked, described
from modelshelf.package.path import ENTRY
from modelshelf.store.disk import DiskStore
from modelshelf.store.sweep import owner

threads = 4
block_bytes = 1 << 20
longest_document_bytes = 64 << 20
_REPAIR = "run: shelf repair"

Progress = Callable[[int], None]


class Check(NamedTuple):
    """One file to read: what it should hold, and of which release it is (empty: of the store)."""

    path: Path
    sha256: str
    release: str = ""
    size: int | None = None


class Finding(NamedTuple):
    """One thing that is wrong, and what to do. A `note` harms nobody."""

    kind: str
    message: str
    where: str
    hint: str
    release: str = ""
    sha256: str | None = None
    note: bool = False


class Plan(NamedTuple):
    """What is to be read, and what was found wrong without reading."""

    checks: tuple[Check, ...]
    found: tuple[Finding, ...]

    @property
    def bytes(self) -> int:
        """How much is to be read: a file with two names is read once."""
        return sum(stat.st_size for stat, _ in _by_file(self.checks))


def together(*plans: Plan) -> Plan:
    """Several plans in one reading."""
    return Plan(
        tuple(chain.from_iterable(each.checks for each in plans)),
        tuple(chain.from_iterable(each.found for each in plans)),
    )


def plan(shelf: Shelf, held: Lock, store: DiskStore) -> Plan:
    """What is to be read of a shelf that has what `held` names."""
    checks: list[Check] = []
    found: list[Finding] = []
    for release in held.packages:
        name = f"{release.name}@{release.version}"
        folder = shelf.release(release)
        for file in release.installed_files():
            check = Check(folder / file.path, file.sha256, name, file.size)
            wrong = _absent(check, store)
            found += [wrong] if wrong else []
            checks += [] if wrong else [check]
        found += _wrong_description(shelf, store, release)
    found += _left_on_shelf(shelf)
    return Plan(tuple(checks), tuple(found))


def plan_store(store: DiskStore, pins: Iterable[Locked]) -> Plan:
    """What is to be read of the store, which should have all that is pinned."""
    checks = tuple(Check(store.own(digest), digest) for digest in store.digests())
    found = [
        Finding(
            "missing", f"a file of {name}, which is pinned, is not in the store",
            str(store.own(digest)), f"{_REPAIR} --store", name, digest,
        )
        for release, name in ((each, f"{each.name}@{each.version}") for each in pins)
        for digest in sorted(needed(release))
        if not store.has(digest)
    ]  # fmt: skip
    return Plan(checks, (*found, *_left_in_store(store)))


def run(planned: Plan, progress: Progress) -> list[Finding]:
    """Read the files, several at a time; gives all findings of the plan and of the reading."""
    stopped = Event()

    def tell(count: int) -> None:
        if stopped.is_set():
            raise InterruptedError
        progress(count)

    with ThreadPoolExecutor(threads) as pool:
        tasks = [
            (checks, pool.submit(_digest, checks[0].path, tell))
            for _, checks in _by_file(planned.checks)
        ]
        try:
            read = [(checks, task.result()) for checks, task in tasks]
        except BaseException:
            stopped.set()  # nobody waits for the rest of a large file
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    damaged = [
        _damaged(check, got)
        for checks, got in read
        for check in checks
        # a file of the store that is gone by now is one that nobody needed
        if got != check.sha256 and (check.release or check.path.exists())
    ]
    return [*planned.found, *damaged]


def is_whole(path: Path, sha256: str) -> bool:
    """Whether there is a file at `path`, it can be read, and it has this sha256."""
    return path.is_file() and _digest(path, lambda _count: None) == sha256


def _by_file(checks: Iterable[Check]) -> list[tuple[os.stat_result, list[Check]]]:
    """The checks by the file that they are of: hard links are one file."""
    files: dict[tuple[int, int], tuple[os.stat_result, list[Check]]] = {}
    for check in checks:
        try:
            stat = check.path.stat()
        except FileNotFoundError:
            continue  # taken away a moment ago
        files.setdefault((stat.st_dev, stat.st_ino), (stat, []))[1].append(check)
    return list(files.values())


def _digest(path: Path, progress: Progress) -> str:
    """The sha256 of the file, or why it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(block_bytes):
                digest.update(block)
                progress(len(block))
    except OSError as error:
        return error.strerror or str(error)
    return digest.hexdigest()


def _damaged(check: Check, got: str) -> Finding:
    of = "the store" if not check.release else check.release
    what = "has other bytes than it should have" if len(got) == 64 else f"cannot be read: {got}"
    hint = _REPAIR if check.release else f"{_REPAIR} --store"
    return Finding(
        "damaged", f"a file of {of} {what}", str(check.path), hint, check.release, check.sha256
    )


def _absent(check: Check, store: DiskStore) -> Finding | None:
    """What is wrong with the file without reading it."""
    name = check.path.name
    place = (str(check.path), _REPAIR, check.release, check.sha256)
    if check.path.is_symlink() and not store.lends(check.path):
        told = f"{name} of {check.release} is a symbolic link, not a file"
        return Finding("link", told, *place)
    if not check.path.is_file():
        return Finding("missing", f"{name} of {check.release} is not there", *place)
    size = check.path.stat().st_size
    if size != check.size:
        told = f"{name} of {check.release} has {size} bytes instead of {check.size}"
        return Finding("damaged", told, *place)
    return None


def description(shelf: Shelf, release: Locked) -> Entry | None:
    """How the shelf describes a release; None where it does not, or nobody can read it."""
    path = shelf.release(release) / ENTRY
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(longest_document_bytes), type=Entry)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None


def promised(store: DiskStore, release: Locked) -> Entry | None:
    """How the manifest in the store describes a release; None where it is not there, or not whole.

    Raises LockStale where it says other things than the lock.
    """
    path = store.path(release.manifest)
    if not is_whole(path, release.manifest):
        return None
    return described(release, path.read_bytes())


def differs(told: Entry | None, meant: Entry) -> bool:
    """Whether the description `told` is another one than `meant`, in what never changes."""
    return told is None or _lasting(told) != _lasting(meant)


def _wrong_description(shelf: Shelf, store: DiskStore, release: Locked) -> list[Finding]:
    name = f"{release.name}@{release.version}"
    told = description(shelf, release)
    place = (str(shelf.release(release) / ENTRY), _REPAIR, name)
    if told is None:
        return [Finding("description", f"the description of {name} is not there", *place)]
    try:
        meant = promised(store, release)
    except LockStale as error:
        return [Finding("lock", error.message, str(shelf.root), error.hint or "", name)]
    if meant is None:
        place = (str(store.path(release.manifest)), _REPAIR, name)
        words = f"the manifest of {name} is not in the store, or not whole"
        return [Finding("manifest", words, *place, release.manifest)]
    if differs(told, meant):
        return [Finding("description", f"the description of {name} was changed", *place)]
    return []


def _lasting(entry: Entry) -> Entry:
    """What of a release never changes: the rest is how the registry sees it at the moment."""
    return msgspec.structs.replace(
        entry, yanked=None, status="active", successor=None, change=None, scan=None
    )


def _left_on_shelf(shelf: Shelf) -> Iterator[Finding]:
    """What a killed command left: the next change takes it away."""
    if shelf.coming.exists():
        told = "a change of this shelf was begun and has not ended"
        hint = "run it again; else shelf gc gives it up after a day"
        yield Finding("begun", told, str(shelf.coming), hint, note=True)
    for path in sorted(shelf.folder.rglob("*.part")):
        yield _left(path, "the next command that changes this shelf takes it away")


def _left_in_store(store: DiskStore) -> Iterator[Finding]:
    lying = store.stale(older_than_seconds=-1)
    for path in lying:
        if (of := owner(path)) != path and of in lying:
            continue  # told with the file that it is beside
        yield _left(path, "it is gone on with, or taken away by shelf gc after a day")


def _left(path: Path, hint: str) -> Finding:
    return Finding("leftover", f"{path.name} was left half done", str(path), hint, note=True)
