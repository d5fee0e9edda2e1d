"""What must hold of a release: every check takes the staged release and yields problems.

Front door: `stage` reads what the files say, `examine` runs every check. `shelf check`, `shelf
publish` and the registry's gate run the same list. To add a check, add a module to one of the
folders of `KINDS` with a function `check` from `Staged` to problems; their rule is its name.
What is compared with the release before goes into `semver`, as a lint (`checks.diff`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from modelshelf import formats
from modelshelf.errors import FormatError, NotFound, Problem
from modelshelf.formats import Facts
from modelshelf.formats.elements import extracted
from modelshelf.package import manifest
from modelshelf.package.elements import Level, Value, describe
from modelshelf.package.record import Record, named_files
from modelshelf.plugins import offered

if TYPE_CHECKING:
    from modelshelf.checks.contract import Contract
    from modelshelf.checks.safety.scan import Scanned

KINDS = ("agreement", "documentation", "safety", "semver")


class Staged(NamedTuple):
    """A release about to be judged: its record, its folder, and what its files say.

    `facts` is by path of file; `unreadable` holds the files that do not follow their format;
    `scanned` is what the scanner said of all files. `previous` is the contract of the release
    before this one, where one is known, and `override` the publisher's reason for a version that
    is lower than the changes since then ask for.
    """

    folder: Path
    record: Record
    level: Level
    facts: dict[str, Facts]
    unreadable: dict[str, FormatError]
    values: dict[str, Value]
    scanned: Scanned | None = None
    contract: Contract | None = None
    previous: Contract | None = None
    override: str | None = None

    def read(self) -> dict[str, object]:
        """What was read from the files, by element id."""
        return {key: each.value for key, each in self.values.items() if each.known == "extracted"}


Check = Callable[[Staged], Iterable[Problem]]


def stage(
    folder: Path,
    record: Record,
    level: Level = "minimal",
    *,
    previous: Contract | None = None,
    override: str | None = None,
    known: Mapping[str, str] | None = None,
) -> Staged:
    """Read what the files of `record` below `folder` say; never raises for what they hold.

    The contract is made where it is needed: to be compared with `previous`, or to be kept, which
    whoever has the sha256 of the files already (`known`, by path) means to do.
    """
    # imported here because installing asks this room for consent alone, and has no time for these
    from modelshelf.checks.contract import contract
    from modelshelf.checks.safety.scan import scan

    facts: dict[str, Facts] = {}
    unreadable: dict[str, FormatError] = {}
    for path, name in _artifact_files(record).items():
        try:
            if name is not None or formats.detect(folder / path):
                facts[path] = formats.read(folder / path, name)
        except FormatError as error:
            unreadable[path] = error
        except NotFound:
            continue  # the check of files tells what is missing
    values = describe(record, extracted=extracted(record, facts, sizes(folder, record)))
    there = [path for path in (manifest.FILE, *named_files(record)) if (folder / path).is_file()]
    own = previous is not None or known is not None
    return Staged(
        folder,
        record,
        level,
        facts,
        unreadable,
        values,
        scan(folder, there, facts),
        contract(folder, record, facts, known) if own else None,
        previous,
        override,
    )


def examine(staged: Staged) -> list[Problem]:
    """Everything that is wrong with a staged release, in the order of the checks."""
    return [problem for check in checks() for problem in check(staged)]


def checks() -> list[Check]:
    """Every check that the rooms' folders and other distributions offer."""
    rooms = [f"{__name__}.{kind}" for kind in KINDS]
    return [cast(Check, check) for room in rooms for check in offered(room, "check")]


def sizes(folder: Path, record: Record) -> dict[str, int]:
    """Bytes of each file that the record names and that is there."""
    return {
        path: (folder / path).stat().st_size
        for path in named_files(record)
        if (folder / path).is_file()
    }


def _artifact_files(record: Record) -> dict[str, str | None]:
    """Files to look inside → the format to read them as: the first file carries the format.

    The others (weights beside a graph or a hubconf.py) are read as whatever they claim to be.
    """
    wanted: dict[str, str | None] = {}
    for variant in record.variants:
        for artifact in variant.artifacts:
            if artifact.files:
                wanted[artifact.first] = artifact.format
            for path in artifact.files[1:]:
                wanted.setdefault(path, None)
    return wanted
