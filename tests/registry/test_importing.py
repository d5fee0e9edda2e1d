"""Catalogues come aboard: what is added, what changes, what is never touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest
from sqlalchemy import func, select

from modelshelf.package.catalogue import Catalogue, Described, HubPublisher
from modelshelf.package.entry import Entry
from modelshelf.package.record import Record
from modelshelf.registry import handles, importing, jobs, releases, tables
from modelshelf.registry.importing.names import ACCOUNT
from modelshelf.registry.importing.report import Report
from modelshelf.registry.service import Kept, open_kept
from modelshelf.registry.settings import Settings
from tests.registry.conftest import Client, Draft, Running
from tests.registry.hub import HUB, catalogue, described, renamed


@pytest.fixture
def kept(settings: Settings) -> Iterator[Kept]:
    """The data of a registry that does not run."""
    settings.data.mkdir(exist_ok=True)
    opened = open_kept(settings)
    yield opened
    opened.database.close()


def entries(kept: Kept, full: str) -> list[Entry]:
    with kept.database.reading() as connection:
        return releases.entries(connection, *full.split("/"))


def everything(kept: Kept) -> dict[str, list[tuple[object, ...]]]:
    """All rows but jobs: what a second import must not change."""
    with kept.database.reading() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in tables.metadata.sorted_tables
            if table.name != "job"
        }


THREE = catalogue(
    described(version=1, text="The first one."),
    described(version=2),
    described("acme/pre", needs={"acme/digits": "^2.0"}),
    publishers=(HubPublisher("acme", "acme", "Acme Vision", "organization"),),
)


def test_a_catalogue_comes_aboard(kept: Kept) -> None:
    report = importing.bring(kept, THREE)
    assert report.added == ("acme/digits@1.0.0", "acme/digits@2.0.0", "acme/pre@1.0.0")
    assert (report.packages, report.new_packages, report.passed) == (2, 2, ())
    first, second = entries(kept, "acme/digits")
    assert (first.number, second.number) == (1, 2)
    assert second.described
    assert not second.choosable
    assert second.upstream is not None
    assert second.upstream.handle == "acme/digits/2"
    assert [file.path for file in second.files] == ["README.md"]
    assert second.change is not None
    assert (second.change.level, second.change.unverified) == ("minor", True)


def test_what_is_told_of_a_release(kept: Kept) -> None:
    importing.bring(kept, THREE)
    with kept.database.reading() as connection:
        found = releases.release(connection, "acme", "digits", "1.0.0")
    told = found.elements
    assert (told["domain"].known, told["domain"].source) == ("declared", "label")
    assert (told["quality"].source, told["quality"].unsure) == ("table", True)
    assert told["version-alert"].value == (
        "described only: its files are at https://hub.example/acme/digits/1; 2.0.0 is newer"
    )
    assert told["dependents"].value == ["acme/pre"]
    absent = ("size", "downloadable", "published-time", "review-mechanism")
    assert {told[each].known for each in absent} == {"absent"}
    assert found.imported is not None
    assert found.imported.labels == {"module-type": ("image-classification",)}


def test_a_second_run_changes_nothing(kept: Kept) -> None:
    importing.bring(kept, THREE)
    before = everything(kept)
    report = importing.bring(kept, THREE)
    assert (report.added, report.updated, report.unchanged) == ((), (), 3)
    assert everything(kept) == before


def test_where_the_pages_lie_does_not_matter(kept: Kept) -> None:
    importing.bring(kept, THREE)
    moved = tuple(msgspec.structs.replace(each, page=f"x/{each.page}") for each in THREE.releases)
    assert importing.bring(kept, catalogue(*moved)).unchanged == 3


def test_a_dry_run_writes_nothing(kept: Kept) -> None:
    before = everything(kept)
    report = importing.bring(kept, THREE, dry_run=True)
    assert len(report.added) == 3
    assert everything(kept) == before


def test_a_newer_snapshot_only_adds(kept: Kept) -> None:
    importing.bring(kept, catalogue(described(version=1), described("acme/old")))
    newer = catalogue(described(version=1), described(version=3), described("acme/new"))
    report = importing.bring(kept, newer)
    assert report.added == ("acme/digits@3.0.0", "acme/new@1.0.0")
    assert (report.updated, report.unchanged) == ((), 1)
    assert [each.number for each in entries(kept, "acme/digits")] == [1, 2]
    assert len(entries(kept, "acme/old")) == 1


def test_a_changed_description_is_told_anew(kept: Kept) -> None:
    importing.bring(kept, THREE)
    before = entries(kept, "acme/digits")
    changed = described(version=1, text="Another text.", gone="deleted by its publisher")
    report = importing.bring(kept, catalogue(changed, *THREE.releases[1:]))
    assert (report.updated, report.unchanged) == (("acme/digits@1.0.0",), 2)
    after = entries(kept, "acme/digits")
    assert (after[0].number, after[0].published) == (before[0].number, before[0].published)
    assert after[0].manifest != before[0].manifest
    assert after[0].upstream is not None
    assert after[0].upstream.gone == "deleted by its publisher"
    assert after[1] == before[1]


def test_one_job_makes_what_is_derived_of_a_batch(kept: Kept) -> None:
    importing.bring(kept, THREE)
    with kept.database.reading() as connection:
        (row,) = connection.execute(select(tables.jobs)).all()
    assert (row.kind, row.payload) == (jobs.REFRESH_ALL, '{"packages":"acme/digits acme/pre"}')


@pytest.mark.parametrize(
    ("release", "name"),
    [
        (described("tf/digits"), "tf-tfhub/digits"),  # reserved
        (described("acme/dlgits"), "acme/dlgits-tfhub"),  # looks like acme/digits
        (described("acme-digits/x"), "acme-digits/x"),
    ],
)
def test_names_that_cannot_be_kept(kept: Kept, release: Described, name: str) -> None:
    report = importing.bring(kept, catalogue(described(), release))
    wanted = release.record.package.name
    assert [(each.wanted, each.name) for each in report.renamed] == (
        [(wanted, name)] if wanted != name else []
    )
    assert len(entries(kept, name)) == 1
    assert importing.bring(kept, catalogue(described(), release)).unchanged == 2
    assert importing.bring(kept, catalogue(release)).unchanged == 1


def test_dependencies_follow_their_packages(kept: Kept) -> None:
    importing.bring(kept, catalogue(described("tf/a"), described("acme/b", needs={"tf/a": "^1.0"})))
    assert [*entries(kept, "acme/b")[0].dependencies] == ["tf-tfhub/a"]


def test_the_same_name_on_two_hubs_are_two_packages(kept: Kept) -> None:
    importing.bring(kept, catalogue(described()))
    report = importing.bring(kept, catalogue(described(), hub="pytorchhub"))
    assert [each.name for each in report.renamed] == ["acme/digits-pytorchhub"]


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        (described(license="Apache 2"), "not an SPDX license expression"),
        (described(summary="x" * 300), "at most 200 characters"),
        (described("Acme/x"), "may hold a-z"),
        (described(text="\ud800"), "no Unicode"),
        (renamed(described(), "x" * 600), "handle"),
        (renamed(described(), " / "), "handle"),
    ],
)
def test_what_cannot_come_says_why(kept: Kept, release: Described, reason: str) -> None:
    report = importing.bring(kept, catalogue(release, described("acme/fine")))
    assert report.added == ("acme/fine@1.0.0",)
    assert reason in report.passed[0].reason
    assert len(report.passed[0].what) < 600


def test_two_pages_of_one_version(kept: Kept) -> None:
    report = importing.bring(kept, catalogue(described(), renamed(described(), "acme/other/1")))
    assert report.added == ("acme/digits@1.0.0",)
    assert "another page" in report.passed[0].reason


def test_what_a_person_publishes_is_never_touched(
    registry: Running, acme: Client, draft: type[Draft]
) -> None:
    draft().publish(acme)
    report = importing.bring(registry.service, catalogue(described(), described("acme/other")))
    assert (report.added, report.new_packages) == ((), 0)
    assert [each.what for each in report.passed] == ["acme/digits", "acme/other"]
    assert "belongs to an account here" in report.passed[0].reason


def test_nobody_can_log_in_as_who_imports(registry: Running) -> None:
    importing.bring(registry.service, THREE)
    assert registry.client.new_token(ACCOUNT).status == 401
    for password in ("!", "", ACCOUNT):
        assert not registry.service.passwords.matches("!", password)
    opened = registry.client("POST", "/api/v1/accounts", {"name": ACCOUNT, "password": "x" * 20})
    assert opened.status == 422


def test_a_killed_import_leaves_whole_packages_and_goes_on(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelshelf.registry.importing.batches.MOST_RELEASES", 2)
    many = catalogue(
        *(described(f"acme/m{number}", version) for number in range(5) for version in (1, 2))
    )

    def killed(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.bring(kept, many, progress=killed)
    with kept.database.reading() as connection:
        of = tables.releases.c
        counts = select(func.count(of.number)).group_by(of.publisher, of.name)
        assert connection.execute(counts).scalars().all() == [2]
    report = importing.bring(kept, many)
    assert (len(report.added), report.unchanged) == (8, 2)


Resolve = Callable[[str, str], str]


@pytest.fixture
def resolve(kept: Kept) -> Resolve:
    importing.bring(
        kept, catalogue(*THREE.releases, merged={"acme/lite/digits/1": "acme/digits/2"})
    )

    def resolved(hub: str, text: str) -> str:
        with kept.database.reading() as connection:
            found = handles.resolve(connection, hub, text)
        return f"{found.package}@{found.version}"

    return resolved


@pytest.mark.parametrize(
    ("handle", "release"),
    [
        ("acme/digits/1", "acme/digits@1.0.0"),
        ("acme/digits", "acme/digits@2.0.0"),
        ("https://hub.example/acme/digits/1", "acme/digits@1.0.0"),
        ("https://hub.example/acme/digits/1/?tf-hub-format=compressed", "acme/digits@1.0.0"),
        ("https://elsewhere.example/acme/digits", "acme/digits@2.0.0"),
        ("acme/lite/digits/1", "acme/digits@2.0.0"),
        ("acme/lite/digits", "acme/digits@2.0.0"),
    ],
)
@pytest.mark.parametrize("hub", [HUB, "any"])
def test_old_handles_lead_here(resolve: Resolve, hub: str, handle: str, release: str) -> None:
    assert resolve(hub, handle) == release


def digest_of(report: Report) -> tuple[int, int, int]:
    return len(report.added), len(report.updated), report.unchanged


def test_records_stay_as_they_were(kept: Kept) -> None:
    importing.bring(kept, THREE)
    with kept.database.reading() as connection:
        found = releases.release(connection, "acme", "pre", "1.0.0").record
    wanted: Record = THREE.releases[2].record
    assert found.variants == wanted.variants
    assert found.package.datasets == ("UCI Digits",)


def test_an_empty_catalogue(kept: Kept) -> None:
    assert digest_of(importing.bring(kept, Catalogue(HUB, "tfhub:x", (), ()))) == (0, 0, 0)
