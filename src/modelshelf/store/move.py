"""A store moves: a second one is made of its files, then what is left of the first is given up.

Between the two, the caller notes which one counts. A killed process leaves one that is complete:
until `begin` has ended the old one, from then on both, and while `give_up` works the new one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from modelshelf.errors import Conflict, IntegrityError, Invalid
from modelshelf.store import blobs, recipes, sweep
from modelshelf.store.disk import FILES, DiskStore, sync_folders
from modelshelf.store.exchange import exchanged
from modelshelf.store.link import place

_MARK = "moving"
"""A file in a store that is being made; it holds the place of the old one."""

Progress = Callable[[int], None]


def require_free(old: Path, new: Path) -> None:
    """Raise where no store can be made at `new`; one that a killed process began is gone on with."""
    real = old.resolve()
    if new.is_symlink() and new.resolve() == real:
        return  # the link that an earlier move left
    if real in (new.resolve(), *new.resolve().parents) or new.resolve() in real.parents:
        raise Invalid("a store cannot move into itself", where=str(real), got=str(new))
    if not new.exists() or _mark(new) == os.fsencode(real):
        return
    if not new.is_dir() or any(new.iterdir()):
        raise Conflict(
            "there is something at the place to move to",
            where=str(new),
            expected="an empty folder, or none",
            hint=f"name a folder in it: {new / 'store'}",
        )


def begin(old: DiskStore, new: Path, progress: Progress) -> DiskStore:
    """Make at `new` a store of every file of `old`, which stays as it is.

    On the same device no byte is copied; elsewhere each is checked. The caller holds `old.quiet()`
    and asked `require_free`. Raises IntegrityError for a damaged file, ShelfError for a full disk.
    """
    mark = os.fsencode(old.root.resolve())
    if new.is_symlink():  # left by an earlier move: who still follows it must find a store
        _put_in_place_of_link(new, mark)
    new.mkdir(parents=True, exist_ok=True)
    (new / _MARK).write_bytes(mark)
    store = DiskStore(new)
    for digest in old.digests():
        size = old.size(digest)
        _carry(old.root / FILES / digest[:2] / digest, store, digest)
        progress(size)
    for digest in recipes.digests(old.root):
        if body := recipes.kept(old.root, digest):
            recipes.keep(new, digest, body)
    _carry_segments(old.root / blobs.FOLDER, new / blobs.FOLDER)
    sync_folders(new / FILES)
    return store


def _carry_segments(old: Path, new: Path) -> None:
    """Have the segments of packed files in the new store as well."""
    for path in old.glob("??/*"):
        target = new / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            place(path, target)


def give_up(old: Path, new: DiskStore) -> None:
    """Take `old` away, after what has come to it meanwhile; a link to `new` stays in its place.

    Who uses the old place at this moment goes on at the new one. Can be done again and again.
    """
    if old.is_dir() and not old.is_symlink():
        with contextlib.suppress(OSError):  # a disk's own folder cannot be renamed: emptied below
            _put_aside(old, new.root.resolve())
    if not old.exists():
        with contextlib.suppress(OSError):  # Windows allows no such links to most people
            old.symlink_to(new.root.resolve())
    for left in _left(old):
        _empty(left, new)
    (new.root / _MARK).unlink(missing_ok=True)


def _put_in_place_of_link(new: Path, mark: bytes) -> None:
    """An empty store where a link was, without a moment between the two where that can be."""
    made = new.with_name(f".{new.name}.{secrets.token_hex(4)}.making")
    DiskStore(made)
    (made / _MARK).write_bytes(mark)
    if not exchanged(made, new):
        new.unlink()
        made.rename(new)
    elif made.is_symlink():
        made.unlink()


def _put_aside(old: Path, new: Path) -> None:
    """The old store under another name, a link to `new` in its place: at once where that can be."""
    aside = old.with_name(f".{old.name}.{secrets.token_hex(4)}.moved")
    with contextlib.suppress(OSError):  # Windows allows no such links to most people
        aside.symlink_to(new)
        if exchanged(aside, old):
            return
        aside.unlink()
    old.rename(aside)


def _left(old: Path) -> Iterator[Path]:
    """What is left of the old store, by whatever process."""
    for aside in sorted(old.parent.glob(f".{old.name}.*.moved")):
        if aside.is_symlink():  # killed before it took the place of the store
            aside.unlink()
        else:
            yield aside
    if old.is_dir() and not old.is_symlink():
        yield old


def _empty(left: Path, new: DiskStore) -> None:
    for path in sorted((left / FILES).glob("*/*")):
        with contextlib.suppress(IntegrityError, Invalid):  # a damaged file need not follow
            _carry(path, new, path.name)
    _carry_partials(left / "partial", new.root / "partial")
    for each in list(left.iterdir()):
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    with contextlib.suppress(OSError):
        left.rmdir()


def _carry_partials(left: Path, new: Path) -> None:
    """Whoever writes to a partial goes on writing to it, and keeps its lock."""
    for partial in sweep.partials(left) if left.is_dir() else ():
        if (new / partial.name).exists():
            continue
        lock = f"{partial.name}.lock"
        with contextlib.suppress(OSError):  # to another device none can follow
            if (left / lock).exists():
                (left / lock).rename(new / lock)
            partial.rename(new / partial.name)


def _carry(path: Path, new: DiskStore, digest: str) -> None:
    """Have the file at `path` in `new` as well."""
    if new.has(digest):
        return
    target = new.path(digest)
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(path, target)
    except FileExistsError:
        return
    except OSError:
        new.add(path, digest)


def _mark(new: Path) -> bytes | None:
    try:
        return (new / _MARK).read_bytes()
    except OSError:
        return None
