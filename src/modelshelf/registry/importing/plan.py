"""What bringing a catalogue aboard would do: decided from what is here, nothing is written.

A package that an account of people publishes is never touched, nor a release that has files. What
the catalogue does not name any more stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import Connection

from modelshelf.errors import Invalid
from modelshelf.package import manifest
from modelshelf.package import name as names
from modelshelf.package.catalogue import Catalogue, Described, HubPublisher
from modelshelf.package.handle import bare, longest_handle_characters, versionless
from modelshelf.package.record import Record, Variant
from modelshelf.package.version import Version
from modelshelf.registry import imported
from modelshelf.registry.importing import here
from modelshelf.registry.importing.here import Here, Was
from modelshelf.registry.importing.names import ACCOUNT, Given, Ledger, Publishers, images, package
from modelshelf.registry.importing.report import Passed, Renamed

README = "README.md"
longest_text_characters = 1 << 20

Step = Literal["add", "update", "same", "kept"]
"""What happens to a release: it comes, says something else, says the same, or has files."""


class Release(NamedTuple):
    """A release of the catalogue under the names that things have here."""

    described: Described
    digest: str
    step: Step
    number: int
    also: tuple[str, ...] = ()
    """Handles of pages that the importer merged into it."""

    @property
    def version(self) -> str:
        """Its version."""
        return self.described.record.package.version

    @property
    def key(self) -> tuple[str, str, str]:
        """Publisher, name and version."""
        return (*names.parse(self.described.record.package.name), self.version)


class Package(NamedTuple):
    """A package of the catalogue; `publisher` has to be made before it, where one is named."""

    name: str
    new: bool
    publisher: HubPublisher | None
    releases: tuple[Release, ...]

    def stepping(self, *steps: Step) -> list[Release]:
        """The releases to which one of these happens."""
        return [each for each in self.releases if each.step in steps]


class Plan(NamedTuple):
    """All packages, publishers first; what got another name; what cannot come, and why."""

    packages: tuple[Package, ...]
    renamed: tuple[Renamed, ...]
    passed: tuple[Passed, ...]


def planned(connection: Connection, catalogue: Catalogue) -> Plan:
    """Decide on every release of the catalogue."""
    planner = _Planner(connection, catalogue)
    return Plan(tuple(planner.packages()), tuple(planner.renamed), tuple(planner.passed))


class _Planner:
    """Names first, as dependencies are told by them; then releases."""

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self.renamed: list[Renamed] = []
        self.passed: list[Passed] = []
        self._hub = catalogue.hub
        self._also = _merged(catalogue)
        self._groups = {
            name: tuple(found)
            for name, found in groupby(
                sorted(catalogue.releases, key=lambda each: each.record.package.name),
                key=lambda each: each.record.package.name,
            )
        }
        wanted = {name.partition("/")[0] for name in self._groups}
        called = [
            spelled
            for each in catalogue.releases
            for spelled in (bare(each.handle), versionless(bare(each.handle)))
        ]
        self._here = here.read(connection, self._hub, wanted, called)
        self._ledger = Ledger(connection)
        self._ledger.look(
            each for name in self._groups if not names.problem(name) for each in images(name)
        )
        self._publishers = Publishers(self._hub, self._ledger, dict(self._here.publishers))
        self._known_publishers = {each.name: each for each in catalogue.publishers}
        self._made: set[str] = set()

    def packages(self) -> Iterator[Package]:
        """Every package that can come, in the order of the catalogue's names."""
        given = {name: self._named(name, group) for name, group in self._groups.items()}
        here_now = {name: each.name for name, each in given.items()}
        done: set[str] = set()
        for name, group in self._groups.items():
            own = given[name]
            if own.name is None:
                self.passed.append(Passed(name, own.reason or ""))
                continue
            if own.name in done:
                self.passed.append(Passed(name, f"its handles lead to `{own.name}` as others' do"))
                continue
            done.add(own.name)
            if own.name != name and own.new:
                self.renamed.append(Renamed(name, own.name, own.reason or ""))
            was = self._here.packages.get(own.name, {})
            releases = tuple(self._releases(own.name, group, was, here_now))
            if releases:
                publisher = self._publisher(name, own)
                yield Package(own.name, own.name not in self._here.packages, publisher, releases)

    def _named(self, name: str, group: tuple[Described, ...]) -> Given:
        """The package that the handles lead to already, or a name for a new one."""
        for each in group:
            for called in (bare(each.handle), versionless(bare(each.handle))):
                if found := self._here.handles.get(called):
                    full = f"{found.publisher}/{found.name}"
                    return _ours(full, self._here)
        publisher = self._publishers.given(name.partition("/")[0])
        return package(name, publisher, self._hub, self._ledger, self._here.packages)

    def _publisher(self, name: str, own: Given) -> HubPublisher | None:
        """The publisher of a new package, where it has to be made; each is made once."""
        assert own.name is not None
        wanted, here_called = name.partition("/")[0], own.name.partition("/")[0]
        if here_called in self._here.publishers or here_called in self._made:
            return None
        self._made.add(here_called)
        known = self._known_publishers.get(wanted) or HubPublisher(wanted, wanted, wanted)
        return msgspec.structs.replace(known, name=here_called)

    def _releases(
        self,
        full: str,
        group: tuple[Described, ...],
        was: Mapping[str, Was],
        given: Mapping[str, str | None],
    ) -> Iterator[Release]:
        number = max((each.number for each in was.values()), default=0)
        seen: set[str] = set()
        for each in sorted(group, key=lambda one: _order(one.record.package.version)):
            found = _moved(each, full, given)
            version = found.record.package.version
            before = was.get(version)
            digest = imported.digest(found)
            wrong = _wrong(found, before, seen)
            if digest is None or wrong:
                called = found.handle[:longest_handle_characters]
                self.passed.append(Passed(called, wrong or "its text is no Unicode"))
                continue
            seen.add(version)
            number += before is None
            yield Release(
                found,
                digest,
                _step(before, digest),
                before.number if before else number,
                self._also.get(each.handle, ()),
            )


def _ours(full: str, known: Here) -> Given:
    """A package that is here, unless people publish it."""
    releases = known.packages.get(full, {}).values()
    if known.publishers.get(full.partition("/")[0]) and all(
        each.account == ACCOUNT for each in releases
    ):
        return Given(full)
    return Given(None, f"`{full}` is published by an account here")


def _merged(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Handles of releases → those of the pages that became a part of them."""
    found: dict[str, tuple[str, ...]] = {}
    for page in catalogue.pages:
        if page.outcome == "merged" and page.into and page.handle:
            found[page.into] = (*found.get(page.into, ()), page.handle)
    return found


def _order(version: str) -> tuple[bool, Version | str]:
    """By precedence; what is no version comes last, and is passed over."""
    try:
        return False, Version.parse(version)
    except Invalid:
        return True, version


def _moved(each: Described, full: str, given: Mapping[str, str | None]) -> Described:
    """The release under the names that packages have here, with its text as its readme."""
    record = each.record
    text = each.text[:longest_text_characters]
    readme = README if text.strip() else None
    return msgspec.structs.replace(
        each,
        text=text,
        record=msgspec.structs.replace(
            record,
            package=msgspec.structs.replace(record.package, name=full, readme=readme),
            variants=record.variants or (Variant("default", ()),),
            dependencies={
                there: need
                for on, need in record.dependencies.items()
                if (there := given.get(on, on)) and there != full
            },
        ),
    )


def _wrong(found: Described, before: Was | None, seen: Iterable[str]) -> str | None:
    """Why a release cannot come, None where it can."""
    version = found.record.package.version
    if not bare(found.handle) or len(found.handle) > longest_handle_characters:
        return "its handle is none"
    if version in seen:
        return f"another page is {version} of {found.record.package.name} already"
    if before is not None and before.handle not in (None, found.handle):
        return f"{version} of {found.record.package.name} came from `{before.handle}`"
    wrong = manifest.problems(found.record, described=True)
    return wrong[0].where() + ": " + wrong[0].message if wrong else None


def _step(before: Was | None, digest: str) -> Step:
    if before is None:
        return "add"
    if before.digest == digest:
        return "same"
    return "update" if before.described else "kept"


def named_files(record: Record) -> tuple[str, ...]:
    """The files of a release that is only described."""
    return (README,) if record.package.readme else ()
