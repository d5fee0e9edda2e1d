"""Content-addressed files on local disk: partials grow, a verified rename makes them files.

    root/files/ab/abcd…   whole files, named by sha256, mode 0444, never changed
    root/partial/NAME     what is still arriving; its length is how much has arrived
    root/lock             held by who looks after the whole store; see `DiskStore.quiet`

A process killed anywhere leaves whole files and partials, never half a file under `files/`.
Stores of the same shape can lie below it, read-only: what they have need not be here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from modelshelf.errors import Conflict, IntegrityError, Invalid, NotFound, ShelfError
from modelshelf.store.digest import is_sha256, require_sha256, sha256_of
from modelshelf.store.link import place
from modelshelf.store.sweep import alone, forget, partials, stale, sweep

LOCK = "lock"
FILES = "files"
another_process_seconds = 120.0
"""How long to wait for a process that looks after the whole store."""
moving_seconds = 5.0
"""For so long there may be nothing at the place of a store that another process moves."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def is_full(error: BaseException | None) -> bool:
    """Whether `error`, or what caused it, says that no space is left on the disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__
    return False


class Appender:
    """Writes on at the end of one partial; made by `DiskStore.append`."""

    def __init__(self, descriptor: int, offset: int) -> None:
        self._descriptor = descriptor
        self.offset = offset
        """Length of the partial so far, in bytes."""

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`."""
        view = memoryview(data)
        while view:
            count = os.write(self._descriptor, view)
            self.offset += count
            view = view[count:]


class DiskStore:
    """Files by sha256 under `root`. With `fsync` a committed file survives a loss of power.

    The files of the stores `shared` are there as well, but only read: nothing is ever made, changed
    or taken away there. One that is missing or cannot be read is passed over.
    """

    def __init__(self, root: Path, *, fsync: bool = True, shared: Iterable[Path] = ()) -> None:
        self.root = root
        self.shared = tuple(shared)
        self._fsync = fsync
        self._files = root / FILES
        self._partials = root / "partial"
        self._files.mkdir(parents=True, exist_ok=True)
        self._partials.mkdir(exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the file with this digest lies, or would lie; raises Invalid if it is no sha256."""
        own = self.own(sha256)
        if self.shared and not own.is_file():
            places = (_place(root, sha256) for root in self.shared)
            return next(filter(_readable, places), own)
        return own

    def own(self, sha256: str) -> Path:
        """Where the file lies, or would lie, in this store itself."""
        return _place(self.root, require_sha256(sha256))

    def has(self, sha256: str) -> bool:
        """Whether the whole file is here, or in a shared store."""
        return self.path(sha256).is_file()

    def lends(self, link: Path) -> bool:
        """Whether `link` is a symbolic link to a file of a shared store, as `link` makes them."""
        try:
            target = link.readlink()
        except OSError:
            return False
        name = target.name
        return is_sha256(name) and target in [_place(each.absolute(), name) for each in self.shared]

    def size(self, sha256: str) -> int:
        """Size of a file in bytes; raises NotFound."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            raise NotFound("No file of this digest is here", where=sha256) from None

    def digests(self) -> Iterator[str]:
        """Yield the sha256 of every whole file that is here itself, not in a shared store."""
        for path in sorted(self._files.glob("??/*")):
            if is_sha256(path.name) and path == self.own(path.name):
                yield path.name

    def partials(self) -> list[Path]:
        """What is still arriving, by name."""
        return partials(self._partials)

    def stage(self, name: str | None = None) -> Path:
        """The partial called `name` (a new one if None), created empty unless it has begun.

        Its length (`partial.stat().st_size`) is the offset to go on from, also after a crash.
        Names hold letters, digits, `-` and `_` only; raises Invalid.
        """
        name = name or secrets.token_hex(16)
        if not _NAME.fullmatch(name):
            raise Invalid("This cannot name a partial file", got=name[:80])
        partial = self._partials / name
        with telling_full(partial):
            partial.touch()
        return partial

    @contextlib.contextmanager
    def append(self, partial: Path, offset: int) -> Iterator[Appender]:
        """Open `partial` to write on from `offset`, alone; what was written is synced at the end.

        Raises Conflict when the partial ends elsewhere (`expected` holds where) or when someone
        else is writing to it. A full disk raises ShelfError and gives back what this call wrote.
        """
        with alone(partial), telling_full(partial):
            descriptor = os.open(partial, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                length = os.fstat(descriptor).st_size
                if length != offset:
                    raise Conflict("The file goes on elsewhere", expected=length, got=offset)
                appender = Appender(descriptor, offset)
                try:
                    yield appender
                except OSError:
                    os.ftruncate(descriptor, offset)
                    raise
                finally:
                    self._sync(descriptor)
            finally:
                os.close(descriptor)

    def commit(self, partial: Path, sha256: str, *, computed: str | None = None) -> Path:
        """Make a whole file of `partial` and return its path, after its digest was verified.

        `computed` is its digest if the caller has just computed it. On a mismatch the partial is
        dropped and IntegrityError raised. A file that is here already is left as it is.
        """
        target = self.own(sha256)
        if (found := computed or sha256_of(partial)) != sha256:
            self.discard(partial)
            raise IntegrityError(
                "The bytes do not have the promised sha256",
                where=partial.name,
                expected=sha256,
                got=found,
                hint="the file changed or was damaged on the way: send it again",
            )
        with telling_full(target):
            self._move(partial, target)
        forget(partial)
        return target

    def add(self, source: Path, sha256: str | None = None) -> str:
        """Copy the file `source` in and return its sha256, verified against `sha256` if given."""
        if sha256 is not None and self.has(sha256):
            return sha256
        partial = self.stage()
        try:
            with telling_full(partial):
                shutil.copyfile(source, partial)
        except BaseException:
            self.discard(partial)
            raise
        computed = sha256_of(partial)
        self.commit(partial, sha256 or computed, computed=computed)
        return computed

    def put(self, content: bytes, sha256: str) -> None:
        """Keep a small file that is in memory; raises IntegrityError if it is another one.

        What a killed process left of it is taken away; another one that keeps it is waited for.
        """
        until = time.monotonic() + another_process_seconds
        while not self.has(sha256):
            partial = self.stage(sha256)
            try:
                with alone(partial), telling_full(partial):
                    partial.write_bytes(content)
                    self.commit(partial, sha256)
            except (Conflict, FileNotFoundError):  # another one is at it, or was a moment ago
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
            except ShelfError:
                self.discard(partial)
                raise
            else:
                self.discard(partial)

    def link(self, sha256: str, target: Path) -> None:
        """Put the file at `target`, atomically: as a hard link, or how else `link.place` can.

        Whatever file was at `target` is replaced; parents are made. Raises NotFound.
        """
        source = self.path(sha256)
        if not source.is_file():
            raise NotFound("No file of this digest is here", where=sha256)
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")
        with telling_full(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                place(source, temporary, lent=source != self.own(sha256))
                temporary.replace(target)
            finally:
                # rename() does nothing where both are links to the same file already
                temporary.unlink(missing_ok=True)

    def delete(self, sha256: str) -> None:
        """Forget a file; nothing happens if it is not here. Hard links elsewhere stay."""
        self.own(sha256).unlink(missing_ok=True)

    def discard(self, partial: Path) -> None:
        """Forget a partial; nothing happens if it is not here."""
        forget(partial)

    def stale(self, *, older_than_seconds: float) -> list[Path]:
        """The partials that nobody wrote to for so long, nor has open to write to."""
        return stale(self._partials, older_than_seconds=older_than_seconds)

    def sweep(self, *, older_than_seconds: float) -> list[Path]:
        """Forget the partials that are stale, and locks without one; return the former."""
        return sweep(self._partials, older_than_seconds=older_than_seconds)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Be the only one who counts on the files that are here, or who takes some away.

        Writing needs no such thing. A store that moved meanwhile is waited for at its new place.
        Raises Conflict after two minutes.
        """
        lock = self._held_lock()
        try:
            yield
        finally:
            lock.release()

    def _held_lock(self) -> BaseFileLock:
        """The lock of the store where it lies by now: it may be on its way to another place."""
        until = time.monotonic() + moving_seconds
        while True:
            root = self.root.resolve()
            if (root / FILES).is_dir() and (lock := _locked(root)):
                here = (root / LOCK).exists() and (root / FILES).is_dir()
                if here and self.root.resolve() == root:
                    return lock
                lock.release()
                _forget_empty(root)
            elif time.monotonic() > until:
                raise NotFound("the store is gone", where=str(root))
            else:
                time.sleep(0.01)

    def _move(self, partial: Path, target: Path) -> None:
        target.parent.mkdir(exist_ok=True)
        if target.is_file():
            partial.unlink(missing_ok=True)
            os.utime(target)
            return
        os.utime(partial)
        partial.chmod(0o444)
        if self._fsync:
            sync_path(partial)
        partial.replace(target)
        if self._fsync and os.name == "posix":
            sync_path(target.parent)

    def _sync(self, descriptor: int) -> None:
        if self._fsync:
            os.fsync(descriptor)


def _locked(root: Path) -> BaseFileLock | None:
    """The lock at `root`, held; None where its folder went away meanwhile."""
    lock = FileLock(root / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=another_process_seconds)
    except Timeout:
        raise Conflict(
            "another process looks after the store", where=str(root), hint="try again later"
        ) from None
    except FileNotFoundError:
        return None
    return lock


def _forget_empty(root: Path) -> None:
    """Locking makes the folder anew where a store was a moment ago: it must not stand in the way."""
    with contextlib.suppress(OSError):
        if not root.is_symlink() and not (root / FILES).exists():
            (root / LOCK).unlink(missing_ok=True)
            root.rmdir()


def _place(root: Path, sha256: str) -> Path:
    return root / FILES / sha256[:2] / sha256


def _readable(path: Path) -> bool:
    # pathlib raises where a folder above may not be read
    return os.path.isfile(path) and os.access(path, os.R_OK)  # noqa: PTH113


@contextlib.contextmanager
def telling_full(where: Path) -> Iterator[None]:
    """Turn the system's "no space left" into an error that people understand."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise ShelfError(
            "No space is left on the disk",
            where=str(where.parent),
            hint="free some space and try again: nothing was changed",
        ) from error


def sync_folders(folder: Path) -> None:
    """Have the names in `folder` and in each folder in it survive a loss of power."""
    if os.name == "posix":
        for each in (*folder.iterdir(), folder):
            sync_path(each)


def sync_path(path: Path) -> None:
    """Have a file, or the names in a folder, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
