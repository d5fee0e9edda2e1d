"""Families of invented models: what is equal, what is not, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelshelf.study.families import Family, Model, families


def model(name: str, *architectures: str, **more: Any) -> Model:
    base = Model(
        f"acme/{name.replace('/', '-').lower()}", "default", name, architectures=architectures
    )
    return base._replace(**{"task": "image-classification", "datasets": ("Birds",)} | more)


def of(*models: Model) -> list[set[str]]:
    found = families(models)
    assert sum(len(family.members) for family in found) == len(models)
    return [{member.package.partition("/")[2] for member in family.members} for family in found]


def together(*models: Model) -> Family:
    found = families(models)
    assert len(found) == 1, found
    return found[0]


def test_sizes_and_spellings_make_no_difference() -> None:
    family = together(
        model("sparrow_v2_50/classes", "Sparrow V2 50"),
        model("sparrow_v2_101/classes", "sparrow-v2-101"),
        model("a/method", "Sparrow152-v2"),
    )
    assert (family.algorithm, family.dataset, family.language) == ("sparrow v2", "birds", None)
    assert [member.features["depth"] for member in family.members] == [152, 101, 50]


@pytest.mark.parametrize(
    "other",
    [
        {"task": "image-feature-vector"},
        {"datasets": ("Fish",)},
        {"task": "text-embedding", "languages": ("de",)},
        {"architectures": ("Sparrow V3",)},
        {"declared": "birds"},
    ],
)
def test_each_part_of_the_key_counts(other: dict[str, Any]) -> None:
    first = model("sparrow_v2", "Sparrow V2")
    assert len(of(first, model("sparrow_v2_b", "Sparrow V2")._replace(**other))) == 2


def test_what_the_publisher_declares_wins() -> None:
    family = together(
        model("one", "Sparrow", declared="songbirds"), model("two", "Finch", declared="songbirds")
    )
    assert family.declared
    assert family.id == "declared-acme-songbirds"


def test_nobody_joins_the_family_that_another_publisher_declares() -> None:
    own = model("one", "Sparrow", declared="songbirds")
    assert len(of(own, own._replace(package="emca/one"))) == 2


def test_a_wide_label_is_told_by_name_and_summary() -> None:
    found = families(
        [
            model("finch_base", "Transformer", summary="Dense Representations of Birds (FINCH)."),
            model("finch_large", "Transformer", summary="Dense Representations of Birds (FINCH)."),
            model("finchlet_base", "Transformer", summary='FINCHLET is "a small" FINCH.'),
        ]
    )
    assert [(f.algorithm, len(f.members)) for f in found] == [("finch", 2), ("finchlet", 1)]
    assert found[0].members[0].why == "its name and its summary call it FINCH"


def test_a_wide_label_is_told_by_the_text() -> None:
    found = families(
        [
            model("finch_base", "Transformer", summary="This is FINCH."),
            model(
                "answers",
                "Transformer",
                text="We fine-tune FINCH. FINCH is large. A Sparrow is not.",
            ),
        ]
    )
    assert len(found) == 1
    assert "speaks of finch 2 times" in found[0].members[0].why


def test_of_several_labels_the_one_in_the_name_counts() -> None:
    models = [
        model("finch_50", "Sparrow V2 50", "finch"),
        model("finch_152", "Sparrow-152", "finch"),
    ]
    assert together(*models).algorithm == "finch"


def test_without_labels_the_same_summary_tells() -> None:
    summary = "A bird that sings."
    models = [
        model(f"song/{each}", summary=summary) for each in ("loud_first", "soft_second", "x1")
    ]
    assert together(*models).algorithm == "song"


def test_without_any_sign_models_stay_alone() -> None:
    models = [
        model("augment/crop_color", summary="Crops."),
        model("augment/rotate_color", summary="Rotates."),
        model("a", "Other", datasets=("Multiple",)),
    ]
    assert len(of(*models)) == 3


def test_parts_of_a_whole_are_no_variants() -> None:
    models = [model(f"flow/{part}", "Flow") for part in ("encoder", "decoder")]
    assert len(of(*models)) == 2
    assert len(of(model("sentence-encoder", "Flow"), model("sentence-encoder-large", "Flow"))) == 1


def test_one_name_of_a_publisher_is_one_algorithm() -> None:
    first, second = model("bench/warbler", "Sparrow"), model("bench/warbler-distilled", "Finch")
    assert together(first, second).algorithm == "bench warbler"
    assert len(of(first, second._replace(package="other/warbler"))) == 2
    assert len(of(model("sparrow/x", "Sparrow"), model("sparrow/x-large", "Finch"))) == 2


def test_numbers_at_one_place_mean_one_thing() -> None:
    family = together(
        model("sparrow_v1_025_128", "Sparrow V1"),
        model("sparrow_v1_100_224", "Sparrow V1"),
        model("sparrow_v1_100_224/quantized", "Sparrow V1"),
    )
    told = [dict(member.features) for member in family.members]
    assert told == [
        {"width": 0.25, "resolution": 128},
        {"width": 1.0, "resolution": 224},
        {"width": 1.0, "resolution": 224, "precision": "quantized"},
    ]


WORDS = some.sampled_from(["sparrow", "V2", "50", "large", "en", "Transformer", "/", "", "x", "Ü"])
LABELS = some.lists(WORDS, max_size=3).map(" ".join)
MODELS = some.builds(
    Model,
    package=some.sampled_from(["acme/a", "acme/b", "emca/a"]),
    variant=some.text(max_size=3),
    name=LABELS,
    task=some.none() | LABELS,
    architectures=some.lists(LABELS, max_size=2).map(tuple),
    datasets=some.lists(LABELS, max_size=2).map(tuple),
    languages=some.lists(LABELS, max_size=2).map(tuple),
    summary=some.text(max_size=40) | LABELS,
    text=LABELS,
    declared=some.none() | LABELS,
    features=some.just({}),
)


@given(some.lists(MODELS, max_size=12, unique_by=lambda each: (each.package, each.variant)))
def test_every_model_is_in_exactly_one_family_in_any_order(models: list[Model]) -> None:
    found = families(models)
    members = [(each.package, each.variant) for family in found for each in family.members]
    assert sorted(members) == sorted((each.package, each.variant) for each in models)
    assert len({family.id for family in found}) == len(found)
    again = families(reversed(models))
    assert {f.id: {m[:2] for m in f.members} for f in again} == {
        f.id: {m[:2] for m in f.members} for f in found
    }


def test_a_number_that_the_publisher_tells_has_no_second_meaning() -> None:
    first = model("finch121", "Finch", features={"depth": 121, "batch-norm": True})
    family = together(first, model("finch169", "Finch", features={"depth": 169}))
    assert [dict(each.features) for each in family.members] == [
        {"depth": 121, "batch-norm": True},
        {"depth": 169},
    ]


def test_a_width_of_one_is_not_what_a_flag_says() -> None:
    tuned = {"fine-tunable": True}
    family = together(
        model("sparrow_v1_050_128", "Sparrow V1", features=tuned),
        model("sparrow_v1_100_128", "Sparrow V1", features=tuned),
    )
    assert [each.features["width"] for each in family.members] == [0.5, 1.0]


def test_a_generation_behind_the_name_that_the_summary_uses_counts() -> None:
    models = [
        model(f"finchnet_v{each}_1.0", "Other", summary=f"FinchNet V{each} for phones.")
        for each in (1, 2)
    ]
    assert sorted(str(family.algorithm) for family in families(models)) == [
        "finchnet v1",
        "finchnet v2",
    ]


def test_a_language_counts_for_words_only() -> None:
    seen = model("a", "Sparrow", languages=("en",)), model("b", "Sparrow")
    assert len(of(*seen)) == 1
    read = [each._replace(task="text-embedding") for each in seen]
    assert len(of(*read)) == 2
