"""What the pages read: one release with all around it, and packages as lists show them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

import msgspec
from markupsafe import Markup
from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from modelshelf.package.entry import Entry
from modelshelf.package.record import Record
from modelshelf.package.search import Hit
from modelshelf.registry import contracts, families, releases, tables, verdicts
from modelshelf.registry.contracts import Step
from modelshelf.registry.families import InFamily
from modelshelf.registry.markdown import MAX_CHARACTERS, rendered
from modelshelf.registry.pages.rendering import file_url
from modelshelf.registry.raw import RawFiles
from modelshelf.registry.search import document
from modelshelf.registry.service import Service
from modelshelf.registry.verdicts import Report

_MOST_BYTES = 4 * MAX_CHARACTERS


class Seen(NamedTuple):
    """One release and what surrounds it; `history` is newest first, `newest` what install takes.

    `report` is what the scanner saw, `step` what the history says of this release, `families` are
    those of the package's models.
    """

    entry: Entry
    record: Record
    elements: Mapping[str, Mapping[str, object]]
    newest: str
    history: tuple[Entry, ...]
    dependents: tuple[str, ...]
    downloads: int
    raw: RawFiles
    report: Report | None
    step: Step
    families: tuple[InFamily, ...]

    def prose(self, place: str | None) -> Markup | None:
        """The text that `place` holds or names, rendered; None where there is none."""
        if not place:
            return None
        file = next((each for each in self.entry.files if each.path == place), None)
        if file is None:
            return None if _is_path(place) else Markup(rendered(place))  # noqa: S704 (sanitised)
        content = self.raw.head(file.sha256, _MOST_BYTES)
        if content is None:
            return None
        text = content.decode(errors="replace")
        urls = {each.path: file_url(each) for each in self.entry.files}
        return Markup(rendered(text, urls))  # noqa: S704 (sanitised)


def _is_path(place: str) -> bool:
    return "\n" not in place and " " not in place


def read(service: Service, publisher: str, name: str, version: str | None = None) -> Seen:
    """The release, or the one that `install` takes; raises NotFound."""
    with service.database.reading() as connection:
        package = releases.package(connection, publisher, name)
        newest = package.latest or ""
        release = releases.release(connection, publisher, name, version or newest)
        history = releases.entries(connection, publisher, name)
        key = (publisher, name, release.entry.version)
        report, step = verdicts.report(connection, key), contracts.step(connection, key)
        inside = families.of_package(connection, publisher, name)
    return Seen(
        entry=release.entry,
        record=release.record,
        elements={key: msgspec.structs.asdict(one) for key, one in release.elements.items()},
        newest=newest,
        history=tuple(reversed(history)),
        dependents=tuple(each.name for each in package.dependents),
        downloads=package.downloads.total,
        raw=service.raw,
        report=report,
        step=step or Step(),
        families=inside,
    )


def newest(connection: Connection, limit: int) -> list[Hit]:
    """The releases published last, whatever package they are of, as far as they may be chosen.

    What was imported comes after what was published here.
    """
    of, package = tables.releases.c, tables.packages.c
    query = (
        select(tables.releases)
        .join(tables.packages, (of.publisher == package.publisher) & (of.name == package.name))
        .where(of.yanked.is_(None), package.status != "quarantined")
        .where(or_(of.verdict.is_(None), of.verdict != "blocked", of.decision.is_not(None)))
        .order_by(of.described, of.published.desc(), of.number.desc())
        .limit(limit)
    )
    rows = connection.execute(query).all()
    counts = installs(connection, tables.downloads.c.name.in_({row.name for row in rows}))
    return [_hit(row, counts) for row in rows]


def packages_of(connection: Connection, publisher: str) -> list[Hit]:
    """A publisher's packages, each with the release that `install` takes, by name."""
    of = tables.releases.c
    query = select(tables.releases).where(of.publisher == publisher).order_by(of.name, of.number)
    counts = installs(connection, tables.downloads.c.publisher == publisher)
    grouped = groupby(connection.execute(query), key=lambda row: str(row.name))
    return [_hit(_latest(list(rows)), counts) for _, rows in grouped]


def installs(connection: Connection, where: ColumnElement[bool]) -> dict[tuple[str, str], int]:
    """(publisher, name) → installs in all, of the rows of the counts that `where` picks."""
    of = tables.downloads.c
    total = func.sum(of.installs).label("total")
    query = select(of.publisher, of.name, total).where(where).group_by(of.publisher, of.name)
    return {(row.publisher, row.name): int(row.total) for row in connection.execute(query)}


def _latest(rows: list[Row[tuple[object, ...]]]) -> Row[tuple[object, ...]]:
    version = releases.latest([releases.summary(row) for row in rows])
    return next(row for row in rows if row.version == version)


def _hit(row: Row[tuple[object, ...]], counts: Mapping[tuple[str, str], int]) -> Hit:
    record = msgspec.json.decode(row.record, type=Record)
    entry = msgspec.json.decode(row.entry, type=Entry)
    return document(record, entry, downloads=counts.get((row.publisher, row.name), 0)).hit


def figures(connection: Connection) -> tuple[tuple[str, int], ...]:
    """How much the registry holds, as (what, number)."""
    packages = tables.packages.c
    queries = {
        "packages": select(func.count()).select_from(tables.packages),
        "releases": select(func.count()).select_from(tables.releases),
        "publishers": select(func.count(packages.publisher.distinct())),
        "downloads": select(func.coalesce(func.sum(tables.downloads.c.installs), 0)),
    }
    return tuple(
        (what, int(connection.execute(query).scalar() or 0)) for what, query in queries.items()
    )


def publisher_row(connection: Connection, publisher: str) -> Row[tuple[object, ...]] | None:
    """The row of one publisher."""
    return connection.execute(select(tables.publishers).filter_by(name=publisher)).first()
