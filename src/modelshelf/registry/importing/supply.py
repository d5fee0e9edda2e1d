"""Files for described releases, from a folder or from their hub: published as any others are.

Each release is staged, judged and committed for itself; what goes wrong with one is told, and it
stays described.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from modelshelf.errors import Refused, ShelfError
from modelshelf.package.entry import Entry
from modelshelf.registry import imported, log, publish, release_rows, staging, tables
from modelshelf.registry.accounts import Identity
from modelshelf.registry.contracts import Key
from modelshelf.registry.importing.delivered import Filled, filled
from modelshelf.registry.importing.links import fitting, needed_first
from modelshelf.registry.importing.names import ACCOUNT
from modelshelf.registry.importing.plan import README, Plan, Release
from modelshelf.registry.importing.report import Failed, Supplied
from modelshelf.registry.importing.sources import Source
from modelshelf.registry.service import Kept
from modelshelf.registry.staging import Declared, Session
from modelshelf.store.digest import sha256_of

IDENTITY = Identity(ACCOUNT, frozenset())
OVERRIDE = "numbered by the hub that it was imported from"
WORK = "import-"
Progress = Callable[[int], None]


class Outcome(NamedTuple):
    """What became of all releases."""

    supplied: tuple[Supplied, ...] = ()
    failed: tuple[Failed, ...] = ()


def supply(
    kept: Kept, hub: str, plan: Plan, sources: tuple[Source, ...], progress: Progress
) -> Outcome:
    """Publish every release that is only described, and of which a source has files."""
    supplied: list[Supplied] = []
    failed: list[Failed] = []
    described = _described(kept, hub)
    for package in needed_first(plan.packages):
        for release in package.releases:
            if release.key in described:
                name = f"{package.name}@{release.version}"
                try:
                    if done := _supply(kept, release, sources):
                        supplied.append(done)
                except ShelfError as error:
                    failed.append(Failed(name, _told(error)))
                    log.event("not supplied", release=name, reason=error.message)
            progress(1)
    return Outcome(tuple(supplied), tuple(failed))


def clean(kept: Kept) -> None:
    """Take away what a killed import left."""
    for folder in kept.settings.data.glob(f"{WORK}*"):
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)


def _supply(kept: Kept, release: Release, sources: tuple[Source, ...]) -> Supplied | None:
    """Publish a release with the files of the first source that has some."""
    for number, source in enumerate(sources):
        with tempfile.TemporaryDirectory(prefix=WORK, dir=kept.settings.data) as work:
            folder = Path(work) / str(number)
            folder.mkdir()
            if (found := source.find(release, folder)) is None:
                continue
            _require_undecided(kept, release)
            ready = filled(release.described.record, found.deliveries)
            ready, left_out = fitting(kept, ready)
            entry = _publish(kept, release, ready)
        with kept.database.writing() as connection:
            imported.note_fetched(connection, release.key, found.fetched)
        files = [file for file in entry.files if file.path != README]
        size = sum(file.size for file in files)
        name = f"{entry.name}@{entry.version}"
        return Supplied(name, len(files), size, found.source, left_out)
    return None


def _publish(kept: Kept, release: Release, ready: Filled) -> Entry:
    """Stage the files, let the checks judge them, commit."""
    places = dict(ready.files)
    declared = {path: _declared(path, place) for path, place in places.items()}
    if readme := _readme(kept, release):
        declared[README] = readme
    named = tuple(declared[path] for path in sorted(declared))
    session = staging.open_session(
        kept.database, kept.settings, IDENTITY, ready.record, named, OVERRIDE
    )
    try:
        for path, place in places.items():
            if path != README or not readme:
                shutil.copyfile(place, staging.partial(kept.store, session, declared[path].sha256))
        staged = publish.stage(kept, IDENTITY, session.id)
        _job, entry = publish.release(kept, IDENTITY, staged)
    except Refused:
        raise  # the session waits for the operator's decision
    except BaseException:
        _drop(kept, session)
        raise
    staging.discard_partials(kept.store, session)
    return entry


def _declared(path: str, place: Path) -> Declared:
    return Declared(path, place.stat().st_size, sha256_of(place))


def _readme(kept: Kept, release: Release) -> Declared | None:
    """The hub's text, which is here already."""
    session = _as_session(release)
    with kept.database.reading() as connection:
        entry = release_rows.described(connection, session)
    file = next((each for each in entry.files if each.path == README), None) if entry else None
    return Declared(README, file.size, file.sha256) if file else None


def _as_session(release: Release) -> Session:
    publisher, name, version = release.key
    record = release.described.record
    return Session("", ACCOUNT, publisher, name, version, record, "open", "", (), {})


def _drop(kept: Kept, session: Session) -> None:
    with kept.database.writing() as connection:
        staging.close(connection, session.id, "dropped")
    staging.discard_partials(kept.store, session)


def _require_undecided(kept: Kept, release: Release) -> None:
    """Raise Refused where the scanner held these files back before, or the operator refused them."""
    publisher, name, version = release.key
    columns = tables.sessions.c
    query = (
        select(columns.id, columns.state)
        .filter_by(publisher=publisher, name=name, version=version, account=ACCOUNT)
        .where(columns.state.in_(("held", "refused")))
    )
    with kept.database.reading() as connection:
        row = connection.execute(query).first()
    if row is not None:
        word = "waits for your decision" if row.state == "held" else "was refused"
        raise Refused(f"it {word}: session {row.id}", hint="shelf registry held")


def _described(kept: Kept, hub: str) -> set[Key]:
    """The releases of the hub without files."""
    of, by = tables.releases.c, tables.imports.c
    query = (
        select(of.publisher, of.name, of.version)
        .join(
            tables.imports,
            (by.publisher == of.publisher) & (by.name == of.name) & (by.version == of.version),
        )
        .where(of.described, by.hub == hub)
    )
    with kept.database.reading() as connection:
        return {(row.publisher, row.name, row.version) for row in connection.execute(query)}


def _told(error: ShelfError) -> str:
    """The error in a line, with its first problem where it is a list of them."""
    told = error.message
    if error.problems:
        first = error.problems[0]
        told = f"{first.where()}: {first.message}"
        if len(error.problems) > 1:
            told += f" (and {len(error.problems) - 1} more)"
    if isinstance(error, Refused):
        return f"held back, {error.where}: {told}" if error.problems else told
    return f"{told} ({error.where})" if error.where and not error.problems else told
