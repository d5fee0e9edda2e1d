"""Catalogues in Parquet: written, studied where they lie, read back whole; in folders and on S3."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf import importers
from modelshelf.errors import Conflict, FormatError, NetworkError, NotAllowed, NotFound, UsageError
from modelshelf.package.catalogue import Catalogue, Collection, Found, Page
from modelshelf.study import parquet
from modelshelf.study.database import Rows, Study
from modelshelf.study.parquet import Writer, stored, write
from modelshelf.study.rows import rows
from modelshelf.study.schema import TABLES
from tests.ranges import answering_ranges
from tests.s3 import ObjectStore, s3
from tests.study.catalogues import ACME, artifact, catalogue, release

__all__ = ["s3"]

VARIANT = {"name": "a", "artifacts": artifact("onnx"), "features": {"width": 0.5},
           "metrics": [{"name": "accuracy", "value": 0.5}]}  # fmt: skip
WHOLE = catalogue(
    release(variants=(VARIANT,), summary="é数\x00", datasets=("x",), found={"size": Found("hub")}),
    release(version="2.0.0", record={"requires": {"python": ["numpy"]}}),
    publishers=(ACME,),
    collections=(Collection("acme/all", "All", ("acme/digits",)),),
    provides=("downloads",),
)


def everything(study: Study) -> dict[str, Rows]:
    return {each.table: study.query(f"SELECT * FROM {each.table} ORDER BY ALL") for each in TABLES}


@pytest.fixture
def places(
    tmp_path: Path, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """A new place of a kind."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)

    def place(kind: str) -> str:
        return s3.url(tmp_path.name) if kind == "bucket" else str(tmp_path / "it's" / "there")

    return place


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_what_was_written_is_studied_as_what_is_in_memory(
    kind: str, places: Callable[[str], str]
) -> None:
    place = places(kind)
    assert write([WHOLE], place) > len(list(rows(WHOLE)))
    with Study.of([WHOLE]) as fresh, Study.of([stored(place)]) as study:
        assert study.catalogues == ("hub:here",)
        assert everything(study) == everything(fresh)


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_what_was_written_is_read_back_whole(kind: str, places: Callable[[str], str]) -> None:
    place, told = places(kind), []
    write([WHOLE], place)
    assert importers.read(f"parquet:{place}", lambda done, of: told.append((done, of))) == WHOLE
    assert told[-1] == (2, 2)


def test_ranges_are_read_where_the_object_store_gives_them(s3: ObjectStore, tmp_path: Path) -> None:
    many = catalogue(*(release(f"acme/n{number:04}", summary=os.urandom(3000).hex())
                       for number in range(1000)))  # fmt: skip
    place = s3.url(tmp_path.name)
    write([many], place, s3.environment)
    with answering_ranges(s3.endpoint) as (endpoint, asked):
        place_there = stored(place, s3.environment | {"AWS_ENDPOINT_URL": endpoint})
        with Study.of([place_there]) as study:
            asked.clear()
            for _ in range(2):
                found = study.query("SELECT count(DISTINCT package) FROM packages")
                assert found.rows == [(1000,)]
    lengths = [_length(each) for each in asked if each.startswith("GET")]
    assert lengths
    assert (
        sum(lengths) < (s3.folder / tmp_path.name / "packages" / "0000.parquet").stat().st_size / 2
    )


def _length(asked: str) -> int:
    first, _, last = asked.removeprefix("GET bytes=").partition("-")
    return int(last) - int(first) + 1


def test_catalogues_in_memory_and_in_parquet_go_together(tmp_path: Path) -> None:
    old = catalogue(release(), name="hub:2020")
    write([old, catalogue(release("acme/x"), name="hub:2022")], str(tmp_path / "a"))
    write([catalogue(name="hub:empty")], str(tmp_path / "b"))
    places = [stored(str(tmp_path / name)) for name in ("b", "a")]
    with Study.of([places[0], WHOLE, places[1]]) as study:
        assert study.catalogues == ("hub:empty", "hub:here", "hub:2020", "hub:2022")
        found = study.query("SELECT catalogue, count(*) FROM packages GROUP BY 1 ORDER BY 1")
        assert found.rows == [("hub:2020", 1), ("hub:2022", 1), ("hub:here", 1)]
    with pytest.raises(UsageError, match="twice"):
        Study.of([old, places[1]])


def test_one_of_several_is_read_by_its_name(tmp_path: Path) -> None:
    place = str(tmp_path / "both")
    write([WHOLE, catalogue(name="hub:2022")], place)
    with pytest.raises(UsageError, match="Which") as caught:
        importers.read(f"parquet:{place}")
    assert caught.value.expected == f"parquet:{place}#hub:here, parquet:{place}#hub:2022"
    assert importers.read(f"parquet:{place}#hub:here") == WHOLE
    assert importers.read(f"parquet:{place}#hub:2022").releases == ()


def test_rows_become_parts_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "PART_BYTES", 10_000)
    many = catalogue(*(release(f"acme/n{number:03}") for number in range(100)))
    write([many], str(tmp_path / "many"))
    assert len(stored(str(tmp_path / "many")).parts["models"]) > 1
    assert importers.read(f"parquet:{tmp_path / 'many'}") == many


def test_a_release_that_is_too_long_is_kept_without_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "DOCUMENT_BYTES", 1000)
    import msgspec

    long = msgspec.structs.replace(release(), text="x" * 1000)
    write([catalogue(long)], str(tmp_path / "long"))
    assert importers.read(f"parquet:{tmp_path / 'long'}").releases == (release(),)


def test_what_was_not_finished_is_not_there(tmp_path: Path) -> None:
    with Writer(str(tmp_path / "half")) as writer:
        writer.extend(rows(WHOLE))
    with pytest.raises(NotFound, match="no tables"):
        stored(str(tmp_path / "half"))


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_nothing_is_written_over(kind: str, places: Callable[[str], str]) -> None:
    write([WHOLE], places(kind))
    with pytest.raises(Conflict):
        write([WHOLE], places(kind))


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("mine")
    with pytest.raises(Conflict, match="folder of their own"):
        write([WHOLE], str(tmp_path))
    with pytest.raises(Conflict):
        write([WHOLE], str(tmp_path / "other.txt"))
    assert [each.name for each in tmp_path.iterdir()] == ["other.txt"]


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_where_nothing_is_nothing_is_found(kind: str, places: Callable[[str], str]) -> None:
    with pytest.raises(NotFound, match="no tables here"):
        stored(places(kind))


def test_a_bucket_that_is_not_there_or_not_ours(s3: ObjectStore) -> None:
    with pytest.raises(NotFound, match="no such bucket"):
        stored("s3://nobodys/x", s3.environment)
    with pytest.raises(NotAllowed):
        stored(s3.url("x"), s3.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"})


def test_a_bucket_that_goes_away_meanwhile(s3: ObjectStore, tmp_path: Path) -> None:
    place = s3.url(tmp_path.name)
    write([WHOLE], place, s3.environment)
    with answering_ranges(s3.endpoint) as (endpoint, _):
        found = stored(place, s3.environment | {"AWS_ENDPOINT_URL": endpoint})
    with pytest.raises(NetworkError):
        Study.of([found])


@pytest.mark.parametrize(
    "written",
    [
        "no json",
        "[]",
        '{"kind": "modelshelf-catalogue-1", "tables": {"packages": ["../../etc/passwd"]}}',
        '{"kind": "modelshelf-catalogue-1", "tables": {"packages": ["/etc/0000.parquet"]}}',
        '{"kind": "another", "tables": {}}',
        "[" * 100_000,
    ],
)
def test_a_list_that_is_none_is_told(written: str, tmp_path: Path) -> None:
    (tmp_path / "tables.json").write_text(written)
    with pytest.raises(FormatError):
        stored(str(tmp_path))


@pytest.mark.parametrize("table", ["packages", "models", "hubs", "records", "pages"])
@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"])
def test_damaged_parts_are_told(table: str, damage: bytes, tmp_path: Path) -> None:
    place = tmp_path / "stored"
    write([WHOLE], str(place))
    (place / table / "0000.parquet").write_bytes(damage)
    with pytest.raises(FormatError):
        _use(str(place))


@pytest.mark.parametrize("table", ["packages", "hubs", "records", "pages"])
def test_tables_that_are_others_are_told(table: str, tmp_path: Path) -> None:
    place = tmp_path / "stored"
    write([WHOLE], str(place))
    (place / table / "0000.parquet").unlink()
    (place / "catalogues" / "0000.parquet").rename(place / table / "0000.parquet")
    listed = json.loads((place / "tables.json").read_text())
    del listed["tables"]["catalogues"]
    (place / "tables.json").write_text(json.dumps(listed))
    with pytest.raises(FormatError):
        _use(str(place))


def test_tables_of_an_earlier_version_lack_what_it_did_not_know(tmp_path: Path) -> None:
    import duckdb

    place = tmp_path / "stored"
    write([WHOLE], str(place))
    part = place / "packages" / "0000.parquet"
    later = part.with_name("later.parquet")
    part.rename(later)
    duckdb.sql(f"COPY (SELECT * EXCLUDE (license, models), 1 AS old FROM '{later}') TO '{part}'")
    with Study.of([stored(str(place))]) as study:
        found = study.query("SELECT package, license, models, versions FROM packages").rows
    assert found == [("acme/digits", None, None, 2)]


def test_a_wrong_statement_is_no_damage(tmp_path: Path) -> None:
    import duckdb

    write([WHOLE], str(tmp_path / "stored"))
    with Study.of([stored(str(tmp_path / "stored"))]) as study:
        for wrong in ("SELECT nothing FROM packages", "SELECT", "SELECT 1 FROM nowhere"):
            with pytest.raises(duckdb.Error):
                study.query(wrong)


def _use(place: str) -> None:
    importers.read(f"parquet:{place}")
    with Study.of([stored(place)]) as study:
        everything(study)


def test_pages_keep_all_that_is_said_of_them(tmp_path: Path) -> None:
    pages = (
        Page("a.md", "merged", "Lite", "acme/x/lite/1", into="acme/x/1"),
        Page("b.md", "skipped", reason="it has no heading"),
    )
    told = Catalogue("hub", "hub:here", (), pages)
    write([told], str(tmp_path / "stored"))
    assert importers.read(f"parquet:{tmp_path / 'stored'}") == told
