"""The database of a study: catalogues that are asked by SQL."""

from __future__ import annotations

import pytest

from modelshelf.errors import Refused, UsageError
from modelshelf.package.catalogue import Found
from modelshelf.study.database import Key, Study
from modelshelf.study.schema import FamilyRow, KeyFamilyRow
from tests.study.catalogues import artifact, catalogue, release

HOSTILE = 'it\'s "so"; DROP TABLE packages; -- \x00 \ud800 \u202e é 数'


def test_catalogues_are_asked_together() -> None:
    first = catalogue(release(), release("acme/letters"), name="hub:2020")
    with Study.of([first, catalogue(release(), name="hub:2024")]) as study:
        found = study.query("SELECT catalogue, packages FROM catalogues ORDER BY ALL")
        assert found.columns == ("catalogue", "packages")
        assert found.rows == [("hub:2020", 2), ("hub:2024", 1)]
        assert study.catalogues == ("hub:2020", "hub:2024")


def test_lists_json_and_nothing_arrive_as_such() -> None:
    variant = {"name": "a", "artifacts": artifact("onnx"), "features": {"width": 0.5, "deep": True}}
    described = release(variants=(variant,), datasets=("x", "y"))
    with Study.of([catalogue(described)]) as study:
        (row,) = study.query(
            "SELECT datasets, formats, features, features->>'width' AS width, family FROM models"
        ).by_name()
    assert row == {
        "datasets": ["x", "y"],
        "formats": ["onnx"],
        "features": '{"width":0.5,"deep":true}',
        "width": "0.5",
        "family": None,
    }


def test_parameters_are_values() -> None:
    described = release(task="other", summary=HOSTILE)
    with Study.of([catalogue(described, name=f"hub:{HOSTILE[:20]}")]) as study:
        query = "SELECT summary FROM packages WHERE catalogue = $of AND task = $task"
        found = study.query(query, of=study.catalogues[0], task="other")
        assert found.rows == [(HOSTILE.replace("\ud800", "?"),)]
        assert study.query(query, of="' OR 1=1 --", task="other").rows == []


def test_an_empty_catalogue_has_empty_tables() -> None:
    with Study.of([catalogue()]) as study:
        assert study.query("SELECT * FROM models").rows == []
        assert study.query("SELECT count(*) FROM information_elements").rows == [(33,)]
        assert study.keys() == []


def test_a_statement_may_give_nothing() -> None:
    with Study.of([]) as study:
        study.query("CREATE TABLE mine (x INTEGER)")
        assert study.query("SELECT * FROM mine").rows == []


def test_a_catalogue_is_given_once() -> None:
    with pytest.raises(UsageError, match="twice"):
        Study.of([catalogue(), catalogue()])


def test_elements_have_a_row_each() -> None:
    described = release(summary="x", found={"package.summary": Found("text", unsure=True)})
    with Study.of([catalogue(described)]) as study:
        found = study.query("SELECT element, known, source, unsure FROM elements").rows
    assert len(found) == 33
    assert ("description", True, "text", True) in found
    assert ("license", False, None, False) in found


def test_keys_are_told_once_and_families_come_back_by_them() -> None:
    described = [
        release(f"acme/{name}", algorithm=algorithm, datasets=("imagenet",))
        for name, algorithm in [("a", "Net V1"), ("b", "Net V1"), ("c", None)]
    ]
    with Study.of([catalogue(*described)]) as study:
        keys = study.keys()
        assert keys == [
            Key(None, "Net V1", ("imagenet",), None, None),
            Key(None, None, ("imagenet",), None, None),
        ]
        study.assign(KeyFamilyRow(*key, f"family of {key.algorithm}") for key in keys)
        assert study.query("SELECT package, family FROM models ORDER BY ALL").rows == [
            ("acme/a", "family of Net V1"),
            ("acme/b", "family of Net V1"),
            ("acme/c", "family of None"),
        ]


def test_the_word_of_a_model_goes_before_that_of_its_key() -> None:
    releases = (release(version="1.0.0"), release(version="2.0.0"), release("acme/letters"))
    with Study.of([catalogue(*releases)]) as study:
        (key,) = study.keys()
        digits = FamilyRow("hub:here", "acme/digits", "default", "digits")
        study.assign([KeyFamilyRow(*key, "others"), digits, digits])
        found = "SELECT package, version, family FROM models ORDER BY ALL"
        assert study.query(found).rows == [
            ("acme/digits", "1.0.0", "digits"),
            ("acme/digits", "2.0.0", "digits"),
            ("acme/letters", "1.0.0", "others"),
        ]
        study.assign([])
        assert {family for _, _, family in study.query(found).rows} == {None}


def test_what_needs_more_than_it_may_use_is_refused() -> None:
    with (
        Study.of([catalogue(release())], memory_mib=100) as study,
        pytest.raises(Refused) as caught,
    ):
        study.query(
            "SELECT list(x) FROM (SELECT repeat('x', 1000) || i AS x FROM range(400000) t(i))"
        )
    assert caught.value.hint
