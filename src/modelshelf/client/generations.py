"""Former states of a shelf: every lock that was in force, to go back to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from modelshelf.client.replacing import replace
from modelshelf.errors import Invalid, LockStale, NotFound
from modelshelf.package import lock as locks


class Generation(msgspec.Struct, frozen=True):
    """The `number`-th state, since `time` (RFC 3339, UTC): the text of its lock, and who made it.

    `environment` is what the machine was, `done` the command, as it was typed.
    """

    number: int
    time: str
    done: str
    environment: str
    lock: str

    @property
    def place(self) -> str:
        """Its file, from the project's folder."""
        return f".shelf/generations/{self.number:06}.json"


class Generations:
    """The generations kept in `folder`, one file each; none is ever changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Generation]:
        """Every generation, the oldest first. Raises Invalid for one that cannot be read."""
        return [self._read(path) for path in self._paths()]

    def add(self, before: str, lock: str, environment: str, done: str) -> None:
        """Keep the state that comes, unless it is the newest one already.

        The lock `before`, where it is not the newest, is kept as well: it came from elsewhere, or
        somebody went back to it. One that cannot be read (it has the marks of a merge) is no state
        to go back to. The caller is alone on the shelf.
        """
        kept = self.all()
        if before and (not kept or kept[-1].lock != before) and _is_lock(before):
            known = [each.number for each in kept if each.lock == before]
            told = f"back at {known[-1]}" if known else "found"
            kept.append(self._write(kept, before, environment, told))
        if not kept or (kept[-1].lock, kept[-1].environment) != (lock, environment):
            self._write(kept, lock, environment, done)

    def _write(self, kept: list[Generation], lock: str, environment: str, done: str) -> Generation:
        number = kept[-1].number + 1 if kept else 1
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = Generation(number, moment, done, environment, lock)
        replace(self.folder / f"{number:06}.json", msgspec.json.encode(made).decode())
        return made

    def before(self, lock: str) -> Generation:
        """The generation before the one whose lock is in force. Raises NotFound."""
        kept = self.all()
        current = next((each for each in reversed(kept) if each.lock == lock), None)
        last = current.number if current else kept[-1].number + 1 if kept else 0
        former = [each for each in kept if each.number < last and each.lock != lock]
        if not former:
            raise NotFound(
                "there is nothing to go back to", hint="shelf rollback --list shows what there is"
            )
        return former[-1]

    def numbered(self, number: int) -> Generation:
        """The generation of this number. Raises NotFound."""
        path = self.folder / f"{number:06}.json"
        if not path.is_file():
            raise NotFound(
                f"there is no generation {number}", hint="shelf rollback --list shows what there is"
            )
        return self._read(path)

    def prune(self, kept: int) -> int:
        """Forget all but the newest `kept` ones; gives how many went."""
        gone = self._paths()[: -kept or None]
        for path in gone:
            path.unlink()
        return len(gone)

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.json") if path.stem.isdigit())

    def _read(self, path: Path) -> Generation:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Generation)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Invalid(
                f"a former state of the shelf cannot be read: {error}",
                where=str(path),
                hint="delete the file",
            ) from None


def _is_lock(text: str) -> bool:
    try:
        locks.loads(text)
    except (Invalid, LockStale):
        return False
    return True
