"""Both hubs come aboard as they were in 2024, whole; skipped where their pages are not at hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from modelshelf.package.catalogue import Catalogue
from modelshelf.package.handle import bare
from modelshelf.registry import handles, importing, releases, tables
from modelshelf.registry.importing import Report
from modelshelf.registry.service import Kept, open_kept
from modelshelf.registry.settings import Settings
from tests.corpora import catalogue_of


@pytest.fixture(scope="module")
def tfhub() -> Catalogue:
    """TFHub in March 2024."""
    return catalogue_of("tfhub-2024-03")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """An empty registry that does not run."""
    opened = open_kept(Settings(data=tmp_path_factory.mktemp("registry"), fsync=False))
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def report(kept: Kept, tfhub: Catalogue) -> Report:
    """What became of TFHub."""
    return importing.bring(kept, tfhub)


def count(kept: Kept, *columns: object) -> int:
    with kept.database.reading() as connection:
        rows = select(*columns).distinct().subquery()  # type: ignore[call-overload]
        return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())


def test_every_release_comes(kept: Kept, tfhub: Catalogue, report: Report) -> None:
    of = tables.releases.c
    modules = {page.handle for page in tfhub.pages if page.kind == "Module"}
    assert len([each for each in tfhub.releases if each.handle in modules]) == 1815
    assert report.passed == ()
    assert count(kept, of.publisher, of.name, of.version) == len(tfhub.releases) >= 1815
    packages = {each.record.package.name for each in tfhub.releases}
    assert count(kept, of.publisher, of.name) == len(packages) >= 1160


def test_a_second_run_changes_nothing(kept: Kept, tfhub: Catalogue, report: Report) -> None:
    again = importing.bring(kept, tfhub)
    assert (again.added, again.updated, again.passed) == ((), (), ())
    assert again.unchanged == len(report.added)


def test_every_old_handle_leads_to_its_release(
    kept: Kept, tfhub: Catalogue, report: Report
) -> None:
    assert report.added
    wanted = {bare(page.handle) for page in tfhub.pages if page.outcome == "merged"}
    wanted = {bare(each.handle) for each in tfhub.releases} | (wanted - {""})
    with kept.database.reading() as connection:
        known = handles.known(connection, "tfhub", wanted)
        assert wanted - known.keys() == set()
        for each in tfhub.releases[:: len(tfhub.releases) // 50]:
            found = handles.resolve(connection, "any", each.url)
            publisher, _, name = found.package.partition("/")
            entry = releases.release(connection, publisher, name, found.version).entry
            assert entry.upstream is not None
            assert entry.upstream.handle == bare(each.handle)


def test_the_other_hub_comes_beside_it(kept: Kept, report: Report) -> None:
    assert report.added
    catalogue = catalogue_of("pytorchhub-2024-04")
    other = importing.bring(kept, catalogue)
    assert other.passed == ()
    assert len(other.added) == len(catalogue.releases)
    assert importing.bring(kept, catalogue).unchanged == len(catalogue.releases)
