"""Tables of small hubs: counted here by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from modelshelf.errors import UsageError
from modelshelf.formats import formats
from modelshelf.package.catalogue import Catalogue, Found
from modelshelf.study import answer, answers, parts, render
from modelshelf.study.grouping import document
from modelshelf.study.survey import Survey
from tests.study.catalogues import artifact, release
from tests.study.surveys import birds, classifier, embedder, of_hub, survey

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def one() -> Iterator[Survey]:
    with survey() as made:
        yield made


def rows(made: Survey, part: str, table: str) -> Rows:
    """The rows of one table by the ids of their columns."""
    tables: Any = render.document(answer(part, made))["tables"]
    found: Rows = next(each["rows"] for each in tables if each["id"] == table)
    return found


def row(found: Rows, **words: str) -> dict[str, Any]:
    """The one row with these words."""
    (only,) = [each for each in found if all(each[key] == word for key, word in words.items())]
    return only


@pytest.mark.parametrize("part", [name for name, each in parts().items() if name != "over-time"])
@pytest.mark.parametrize("catalogues", [(), (of_hub("hub", "empty"),)], ids=["birds", "empty"])
def test_every_part_answers_any_catalogue(part: str, catalogues: tuple[Catalogue, ...]) -> None:
    with survey(*catalogues) as made:
        found = answer(part, made)
        assert found.tables
        for table in found.tables:
            assert {len(cells) for cells in table.rows} <= {len(table.columns)}
            assert len({column.id for column in table.columns}) == len(table.columns)
        assert render.text(found)
        assert render.markdown(found)
        msgspec.json.encode(render.document(found))


def test_a_part_that_is_not_there(one: Survey) -> None:
    with pytest.raises(UsageError, match="no part `tabel3`") as raised:
        answer("tabel3", one)
    assert raised.value.hint == "did you mean `table3`?"


def test_parts_come_in_the_order_of_the_paper() -> None:
    names = list(parts())
    assert names[:4] == ["table1", "table2", "elements", "table3"]
    assert {f"table{number}" for number in range(1, 9)} < set(names)


def test_table_1_tells_sizes_people_and_pages(one: Survey) -> None:
    (found,) = rows(one, "table1", "measured")
    told = {key: found[key] for key in ("packages", "versions", "models", "publishers", "persons")}
    assert told == {"packages": 4, "versions": 5, "models": 4, "publishers": 2, "persons": 1}
    assert found["packages:paper"] == 383
    assert found["frameworks"] == "onnx, tensorflow"
    skipped = row(rows(one, "table1", "pages"), outcome="skipped")
    assert (skipped["pages"], skipped["reason"]) == (1, "empty")
    assert len(rows(one, "table1", "printed")) == 23


def test_table_2_tells_whether_and_how_often(one: Survey) -> None:
    found = rows(one, "table2", "elements")
    assert len(found) == 33
    license_ = row(found, element="License")
    assert (license_["birds:there"], license_["birds:share"]) == (True, 75.0)
    assert license_["birds:there:paper"] is True
    assert row(found, element="Size")["birds:share"] == 100.0  # the hub shows it
    assert row(found, element="Review Mechanism")["birds:there:paper"] == "either"
    assert row(found, element="Demo")["birds:there"] is False


def test_table_3_counts_packages_and_models_by_class(one: Survey) -> None:
    found = rows(one, "table3", "packages")
    assert len(found) == 16
    images = row(found, domain="Computer Vision", input="Image", **{"class": "Classification"})
    assert (images["birds:packages"], images["birds:share"]) == (3, 75.0)
    assert (images["birds:packages:paper"], images["birds:share:paper"]) == (94, 24.5)
    models = rows(one, "table3", "models")
    assert sum(each["birds:models"] for each in models) == 4


def test_tasks_that_the_paper_did_not_meet_have_rows_of_their_own() -> None:
    others = [release("acme/a", task="image-pose-detection"), release("acme/b"),
              release("acme/c", task="text-translation")]  # fmt: skip
    with survey(of_hub("tfhub", "x", *others)) as made:
        found = rows(made, "table3", "packages")
    assert row(found, **{"class": "Pose Detection"})["x:packages:paper"] is None
    assert row(found, domain="Unknown")["x:packages"] == 1
    assert row(found, input="Text", **{"class": "Embedding"})["x:packages"] == 1


def test_table_4_counts_families_of_two_or_more(one: Survey) -> None:
    found = rows(one, "table4", "classes")
    images = row(found, input="Image", **{"class": "Classification"})
    assert (images["birds:families"], images["birds:median"]) == (1, 3.0)
    embeddings = row(found, input="Text", **{"class": "Embedding"})
    assert (embeddings["birds:families"], embeddings["birds:median"]) == (0, None)
    assert row(found, **{"class": "Segmentation"})["birds:median:paper"] == 10
    whole = {each["what"]: each["birds:value"] for each in rows(one, "table4", "whole")}
    assert whole["families"] == whole["algorithms of families"] == 1
    assert whole["members of the largest"] == 3


def test_table_5_needs_two_hubs(one: Survey) -> None:
    assert rows(one, "table5", "similar") == []
    assert "table5" not in {each.name for each in answers(one)}


def test_table_5_counts_the_same_family_in_both_hubs() -> None:
    other = of_hub("pytorchhub", "other", classifier("io/sparrow-x", algorithm="Sparrow V2 34"))
    with survey(birds(), other) as made:
        found = rows(made, "table5", "similar")
    same = row(found, algorithm="sparrow v2")
    assert (same["birds:models"], same["other:models"]) == (3, 1)
    assert same["birds:models:paper"] is None  # of other snapshots the paper says nothing
    assert len(found) == 5  # and the paper's four, which are not here
    assert sum(each["birds:models:paper"] or 0 for each in found) == 30


def test_table_6_has_modelshelf_as_it_is(one: Survey) -> None:
    found = rows(one, "table6", "functions")
    own = row(found, repository="Modelshelf")
    assert [own[name] for name in ("install", "upgrade", "remove")] == [True, True, False]
    assert own["formats"] == ", ".join(formats())
    assert row(found, repository="birds")["formats"] == "onnx (3), tflite (3)"
    assert row(found, repository="birds")["upgrade"] is False  # the paper's finding of the hub
    assert row(found, repository="npm (paper)")["remove"] is True


def test_table_6_counts_how_packages_are_called() -> None:
    record: dict[str, Any] = {
        "signatures": {"default": {"inputs": {}, "outputs": {}}},
        "entrypoints": {"a": {}, "b": {}},
    }
    found_in = {"entrypoints": Found("table"), "signatures": Found("text")}
    variants = tuple({"name": name, "entrypoint": name} for name in "ab")
    packages = release(record=record, found=found_in, variants=variants), release("acme/other")
    with survey(of_hub("registry", "own", *packages)) as made:
        own = row(rows(made, "table6", "functions"), repository="own")
        text = {each["what"]: each["own:value"] for each in rows(made, "elements", "text")}
    assert own["mechanism"] == "signature (1), entrypoint (1)"
    assert own["install"] is True  # a registry of Modelshelf has its commands
    assert text["packages with a list of their entrypoints"] == 1
    assert text["packages whose entrypoints build several models"] == 1
    assert text["of those, without a full list of their entrypoints"] == 0


def test_table_7_tells_formats_by_context_and_framework(one: Survey) -> None:
    found = rows(one, "table7", "contexts")
    edge = row(found, context="edge", framework="tensorflow")
    assert (edge["printed"], edge["birds:formats"]) == ("tflite", "tflite (3)")
    assert row(found, context="edge", framework="onnx")["birds:formats"] == "onnx (3)"
    assert row(found, context="javascript", framework="pytorch")["printed"] is None
    several = rows(one, "table7", "several")
    assert [(each["contexts"], each["birds:packages"]) for each in several] == [("0", 1), ("1", 3)]


def test_table_8_says_what_formats_are_good_for(one: Survey) -> None:
    found = rows(one, "table8", "formats")
    tflite = row(found, format="tflite")
    assert (tflite["birds:packages"], tflite["birds:share"], tflite["paper"]) == (3, 75.0, True)
    assert row(found, format="safetensors")["paper"] is False
    assert all(row(found, format=name)["advantages"] == each.advantages
               for name, each in formats().items())  # fmt: skip


def test_elements_tell_where_facts_were_found(one: Survey) -> None:
    found = rows(one, "elements", "completeness-birds")
    domain, algorithm = row(found, element="Package Domain"), row(found, element="Algorithm")
    assert (domain["packages"], domain["label"], domain["default"]) == (4, 3, 1)
    assert (algorithm["text"], algorithm["unsure"]) == (3, 4)
    assert row(found, element="Size")["hub"] == 4


def test_implications_have_figures_of_now(one: Survey) -> None:
    found = rows(one, "implications", "impedance-mismatch")
    values = {each["figure"]: each["birds:value"] for each in found}
    assert values["families of two models or more"] == 1
    assert values["models in such families"] == 3
    assert values["families whose members are spread over packages"] == 1
    release_information = rows(one, "implications", "release-information")
    assert row(release_information, figure="packages with several versions")["birds:value"] == 1


def test_measures_of_dependencies_quality_and_risk() -> None:
    needing = embedder(
        "acme/a",
        record={
            "dependencies": {"acme/b": {"version": "*"}, "acme/far": {"version": "^1"}},
            "requires": {"python": ["numpy>=1.26", "NumPy", "pandas"]},
        },
        variants=(
            {
                "name": "m",
                "artifacts": artifact("pytorch"),
                "metrics": [{"name": "accuracy", "value": 0.9}],
            },
        ),
    )
    with survey(of_hub("hub", "x", needing, embedder("acme/b"))) as made:
        found = {
            each["figure"]: each["x:value"]
            for table in ("dependency-management", "security", "popularity")
            for each in rows(made, "implications", table)
        }
    assert found["packages that name models they need or feed"] == 1
    assert found["packages that others need, never told on their pages"] == 1
    assert found["packages that name Python packages they need"] == 1
    assert found["different Python packages named"] == 2
    assert found["Python requirements without any version"] == 2
    assert found["packages in a format that can run code when loaded"] == 1
    assert found["packages with figures of quality"] == 1


def test_families_are_listed_each_model_once(one: Survey) -> None:
    found: Any = document(one)
    members = [(m["package"], m["variant"]) for family in found for m in family["members"]]
    assert sorted(members) == sorted(
        (f"{name}", "default")
        for name in ("acme/sparrow-18", "acme/sparrow-50", "ada/sparrow-101", "acme/wren")
    )
    assert set(found[0]) == {"family", "task", "algorithm", "dataset", "language", "members"}
    with survey(birds("a"), birds("b")) as two:
        assert {each["catalogue"] for each in document(two)} == {"a", "b"}
