"""Reads: packages, their releases, who depends on them. Every page and dialect reads through here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, Row, func, select

from modelshelf.errors import NotFound
from modelshelf.package.elements import Value, describe
from modelshelf.package.entry import Change, Entry, Scan, Status, unavailable
from modelshelf.package.record import Record
from modelshelf.package.version import Version
from modelshelf.registry import downloads, imported, tables, verdicts
from modelshelf.registry.downloads import Downloads
from modelshelf.registry.families import InFamily
from modelshelf.registry.imported import Imported

_Row = Row[tuple[object, ...]]


class Summary(msgspec.Struct, frozen=True):
    """One release in the list of a package. `published` is RFC 3339; `yanked` is the reason.

    `change` is what moved since the release before, `scan` what the scanner said; of one that is
    only `described` there are no files.
    """

    version: str
    number: int
    commit: str
    manifest: str
    published: str
    yanked: str | None = None
    change: Change | None = None
    scan: Scan | None = None
    described: bool = False


class Dependent(msgspec.Struct, frozen=True):
    """A package whose newest release needs another one, and how."""

    name: str
    version: str
    requirement: str
    kind: str


class Package(msgspec.Struct, frozen=True):
    """A package: its state, its releases (newest first), who needs it, how often it is installed.

    `families` are those of its models.
    """

    name: str
    status: Status
    successor: str | None
    reason: str | None
    latest: str | None
    releases: tuple[Summary, ...]
    dependents: tuple[Dependent, ...]
    downloads: Downloads
    families: tuple[InFamily, ...] = ()


class Release(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release: its index line, its record, and all 33 elements with how each is known.

    `imported` is what another hub said of it, `families` are those of the package's models.
    """

    entry: Entry
    record: Record
    elements: dict[str, ElementValue]
    observed: dict[str, object]
    imported: Imported | None = None
    families: tuple[InFamily, ...] = ()


class ElementValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one element: `known` is declared, extracted, observed, verified, absent.

    Of what another hub declared, `source` tells where on its page, `unsure` whether that can be read
    in another way.
    """

    value: object
    known: str
    source: str | None = None
    unsure: bool = False


def package(connection: Connection, publisher: str, name: str) -> Package:
    """A package with its releases; raises NotFound."""
    row = _package_row(connection, publisher, name)
    rows = _release_rows(connection, publisher, name)
    summaries = tuple(summary(each) for each in reversed(rows))
    return Package(
        name=f"{publisher}/{name}",
        status=row.status,
        successor=row.successor,
        reason=row.reason,
        latest=latest(summaries),
        releases=summaries,
        dependents=tuple(dependents(connection, publisher, name)),
        downloads=downloads.totals(connection, publisher, name),
    )


def latest(summaries: Sequence[Summary]) -> str | None:
    """The version that `install` takes: the highest that is no pre-release and may be chosen.

    Yanked, blocked and only described ones may not. Where there is none, the highest pre-release, then the highest
    of all.
    """
    ranked = [
        (_offered(each), not Version.parse(each.version).prerelease, each) for each in summaries
    ]
    best = max(
        ranked, key=lambda one: (one[0], one[1], Version.parse(one[2].version)), default=None
    )
    return best[2].version if best else None


def _offered(summary: Summary) -> bool:
    withheld = summary.described or (summary.scan is not None and summary.scan.withholds)
    return summary.yanked is None and not withheld


def entries(connection: Connection, publisher: str, name: str) -> list[Entry]:
    """All index lines of a package, in publication order; none if there is no such package."""
    row = _find_package(connection, publisher, name)
    if row is None:
        return []
    return [_entry(each, row) for each in _release_rows(connection, publisher, name)]


def release(connection: Connection, publisher: str, name: str, version: str) -> Release:
    """One release, by version; raises NotFound."""
    of_package = _package_row(connection, publisher, name)
    rows = _release_rows(connection, publisher, name)
    row = next((each for each in rows if each.version == version), None)
    if row is None:
        raise NotFound(
            "There is no such release",
            where=f"{publisher}/{name}@{version[:80]}",
            hint="versions: " + ", ".join(each.version for each in rows[-10:]),
        )
    record = msgspec.json.decode(row.record, type=Record)
    entry = _entry(row, of_package)
    observed = observe(connection, entry, tuple(summary(each) for each in rows))
    facts = msgspec.json.decode(row.facts) if row.facts else {}
    said_there = imported.find(connection, (publisher, name, version))
    report = verdicts.report(connection, (publisher, name, version))
    if not entry.described:
        observed["review-mechanism"] = verdicts.reviewed(report)
    found = said_there.found if said_there else None
    values = describe(record, extracted=facts, observed=observed, found=found)
    if report is not None:
        said = values["vulnerability-report"].value
        values["vulnerability-report"] = Value(verdicts.told(report, said), "observed")
    return Release(entry, record, _shown(values), observed, said_there)


def latest_release(connection: Connection, publisher: str, name: str) -> Release:
    """The release that `install` takes when no version is named; raises NotFound."""
    version = package(connection, publisher, name).latest
    if version is None:
        raise NotFound("This package has no release", where=f"{publisher}/{name}")
    return release(connection, publisher, name, version)


def observe(
    connection: Connection, entry: Entry, summaries: tuple[Summary, ...]
) -> dict[str, object]:
    """What the registry itself saw of a release, by element id."""
    publisher, _, name = entry.name.partition("/")
    of_files = {} if entry.described else _of_files(entry)
    return of_files | {
        "downloads": msgspec.to_builtins(downloads.totals(connection, publisher, name)),
        "version-alert": alert(entry, latest(summaries), upstream_only(summaries)),
        "release-history": [
            {
                "version": each.version,
                "published": None if each.described else each.published,
                "yanked": each.yanked,
                "level": each.change.level if each.change else None,
                "axes": list(each.change.axes) if each.change else [],
            }
            for each in sorted(summaries, key=lambda each: -each.number)
        ],
        "dependents": [each.name for each in dependents(connection, publisher, name)],
    }


def _of_files(entry: Entry) -> dict[str, object]:
    """What only a registry that has the files can see; when another hub published them, it cannot."""
    return {
        "published-time": entry.published,
        "size": sum(file.size for file in entry.files),
        "downloadable": {file.path: f"/files/{file.sha256}" for file in entry.files},
    }


def upstream_only(summaries: Iterable[Summary | Entry]) -> str | None:
    """The highest version that is only described."""
    versions = (each.version for each in summaries if each.described)
    return max(versions, key=Version.parse, default=None)


def alert(entry: Entry, newest: str | None, upstream: str | None = None) -> str | None:
    """The warning that goes with a release, or None where there is nothing to warn of.

    `newest` is the version that `install` takes, `upstream` the highest that is only described.
    """
    if entry.yanked is not None:
        return f"yanked: {entry.yanked}"
    if entry.scan is not None and entry.scan.withholds:
        return "blocked: the scanner found what no list allows"
    if entry.status != "active":
        instead = f": use {entry.successor}" if entry.successor else ""
        return f"the package is {entry.status}{instead}"
    found = [unavailable(entry)]
    own = Version.parse(entry.version)
    if newest is not None and Version.parse(newest) > own:
        found.append(f"{newest} is newer")
    if upstream not in (None, newest) and Version.parse(upstream) > own:
        found.append(f"{upstream} is newer, but only described")
    return "; ".join(filter(None, found)) or None


def dependents(connection: Connection, publisher: str, name: str) -> list[Dependent]:
    """Packages whose newest release (by number) needs this one, by name."""
    on, of = tables.dependencies.c, tables.releases.c
    later = tables.releases.alias()
    newest = (
        select(func.max(later.c.number))
        .where(later.c.publisher == of.publisher, later.c.name == of.name, later.c.yanked.is_(None))
        .scalar_subquery()
    )
    query = (
        select(on.publisher, on.name, on.version, on.requirement, on.kind, of.number)
        .join_from(
            tables.dependencies,
            tables.releases,
            (on.publisher == of.publisher) & (on.name == of.name) & (on.version == of.version),
        )
        .where(on.on_publisher == publisher, on.on_name == name, of.number == newest)
        .order_by(on.publisher, on.name)
    )
    return [
        Dependent(f"{row.publisher}/{row.name}", row.version, row.requirement, row.kind)
        for row in connection.execute(query)
    ]


def packages_of(connection: Connection, publisher: str) -> list[str]:
    """Full names of a publisher's packages."""
    columns = tables.packages.c
    query = select(columns.name).where(columns.publisher == publisher).order_by(columns.name)
    return [f"{publisher}/{name}" for name in connection.execute(query).scalars()]


def all_packages(connection: Connection) -> list[tuple[str, str]]:
    """(publisher, name) of every package."""
    columns = tables.packages.c
    query = select(columns.publisher, columns.name).order_by(columns.publisher, columns.name)
    return [(row.publisher, row.name) for row in connection.execute(query)]


def is_published(connection: Connection, sha256: str) -> int | None:
    """Size of a published file in bytes, or None when no release holds it."""
    query = select(tables.blobs.c.size).where(tables.blobs.c.sha256 == sha256)
    return connection.execute(query).scalar()


def _find_package(connection: Connection, publisher: str, name: str) -> _Row | None:
    query = select(tables.packages).filter_by(publisher=publisher, name=name)
    return connection.execute(query).first()


def _package_row(connection: Connection, publisher: str, name: str) -> _Row:
    row = _find_package(connection, publisher, name)
    if row is None:
        raise NotFound("There is no such package", where=f"{publisher}/{name}"[:140])
    return row


def _release_rows(connection: Connection, publisher: str, name: str) -> Sequence[_Row]:
    query = select(tables.releases).filter_by(publisher=publisher, name=name)
    return connection.execute(query.order_by(tables.releases.c.number)).all()


def summary(row: _Row) -> Summary:
    """A row of the table of releases as lists show it."""
    return Summary(
        row.version,
        row.number,
        row.commit,
        row.manifest,
        row.published,
        row.yanked,
        msgspec.json.decode(row.change, type=Change) if row.change else None,
        _scan(row),
        bool(row.described),
    )


def _entry(row: _Row, of_package: _Row) -> Entry:
    """The kept line with what may still change or came later: yank, status, change and verdict."""
    entry = msgspec.json.decode(row.entry, type=Entry)
    return msgspec.structs.replace(
        entry,
        yanked=row.yanked,
        status=of_package.status,
        successor=of_package.successor,
        change=msgspec.json.decode(row.change, type=Change) if row.change else None,
        scan=_scan(row),
    )


def _scan(row: _Row) -> Scan | None:
    return None if row.verdict is None else Scan(row.verdict, row.rules, row.decision)


def _shown(values: dict[str, Value]) -> dict[str, ElementValue]:
    return {key: ElementValue(*each) for key, each in values.items()}
