"""Parents of files: found by names of tensors, so that who has them fetches less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from modelshelf.registry import encoding
from modelshelf.store.recipe import DELTA, Recipe
from tests.registry.conftest import digest
from tests.registry.weights import Published, Tensors, bf16, model, publish

__all__ = ["publish"]

CAST = "float32>bfloat16"


def solo(recipe: Recipe) -> Mapping[str, int]:
    ids = [identifier for identifier, _, _ in recipe.segments()]
    return dict(zip(ids, recipe.stored, strict=True))


@pytest.mark.parametrize("make", [bf16, lambda tensors: tensors], ids=["bf16", "fp32"])
def test_a_fine_tuned_release_is_told_against_the_one_before(publish: Published, make: Any) -> None:
    (old,) = publish("1.0.0", make(model()))
    (new,) = publish("1.1.0", make(model(moved=0.001)))
    alone = solo(publish.recipe(new))
    saved = publish.saved(new, old)
    with_parent = sum(alone[key] if each is None else each for key, each in saved.items())
    assert sum(each is not None for each in saved.values()) == 3
    assert with_parent < 0.7 * sum(alone.values())


def renamed(tensors: Tensors, prefix: str, *, but: str = "") -> Tensors:
    return {name if name == but else f"{prefix}{name}": each for name, each in tensors.items()}


@pytest.mark.parametrize(
    ("before", "after", "but"),
    [("", "model.", ""), ("bert.", "model.bert.", ""), ("bert.", "model.", "embed")],
    ids=["added", "longer", "with one outside"],
)
def test_tensors_whose_prefix_changed_are_the_same(
    publish: Published, before: str, after: str, but: str
) -> None:
    (old,) = publish("1.0.0", bf16(renamed(model(), before, but=but)))
    (new,) = publish("1.1.0", bf16(renamed(model(moved=0.001), after, but=but)))
    assert sum(each is not None for each in publish.saved(new, old).values()) == 3


def test_an_embedding_that_grew_is_told_as_far_as_both_reach(publish: Published) -> None:
    (old,) = publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(rows=420, moved=0.001)))
    assert sum(each is not None for each in publish.saved(new, old).values()) == 3


def test_tensors_in_another_order_need_no_parent(publish: Published) -> None:
    (old,) = publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", dict(reversed([*bf16(model()).items()])))
    assert publish.recipe(new).parents == ()
    shared = publish.recipe(new).distinct() & publish.recipe(old).distinct()
    assert len(shared) == 3


def test_a_copy_of_half_the_width_is_cast_with_nothing_to_fetch(publish: Published) -> None:
    wide, narrow = publish("1.0.0", model(), bf16(model()))
    saved = [*publish.saved(narrow, wide, CAST).values()]
    assert saved[1:] == [0, 0, 0]
    assert publish.recipe(wide).parents == ()


def test_a_copy_rounded_otherwise_is_not_cast(publish: Published) -> None:
    cut = {name: (each.view("<u4") >> 16).astype("<u2") for name, each in model().items()}
    _, narrow = publish("1.0.0", model(), cut)
    assert publish.recipe(narrow).parents == ()


def test_both_copies_of_the_next_release_have_their_parents(publish: Published) -> None:
    old = publish("1.0.0", model(), bf16(model()))
    moved = model(moved=0.001)
    wide, narrow = publish("1.1.0", moved, bf16(moved))
    assert [(each.file, each.kind) for each in publish.recipe(wide).parents] == [
        (digest(old[0]), DELTA)
    ]
    assert {(each.file, each.kind) for each in publish.recipe(narrow).parents} == {
        (digest(old[1]), DELTA),
        (digest(wide), CAST),
    }


def test_a_file_in_two_places_is_cast_from_its_wide_copy(publish: Published) -> None:
    wide, narrow, _ = publish("1.0.0", model(), bf16(model()), bf16(model()))
    assert [*publish.saved(narrow, wide, CAST).values()][1:] == [0, 0, 0]


def test_what_a_package_is_based_on_is_a_parent(publish: Published) -> None:
    (base,) = publish("1.0.0", bf16(model()), name="acme/base")
    wanted: Any = {"acme/base": {"version": "^1.0", "kind": "base"}}
    (tuned,) = publish("1.0.0", bf16(model(moved=0.001)), name="acme/tuned", dependencies=wanted)
    assert sum(each is not None for each in publish.saved(tuned, base).values()) == 3


def test_a_base_that_is_not_here_hinders_nothing(publish: Published) -> None:
    wanted: Any = {"other/base": {"version": "^1.0", "kind": "base"}}
    (tuned,) = publish("1.0.0", bf16(model()), dependencies=wanted)
    assert publish.recipe(tuned).parents == ()


def test_a_model_cut_into_other_files_has_them_all_as_parents(publish: Published) -> None:
    def part(tensors: Tensors, *names: str) -> Tensors:
        return {name: tensors[name] for name in names}

    one, other = (bf16(model()), bf16(model(moved=0.001)))
    old = publish("1.0.0", part(one, "embed"), part(one, "layers.0.w", "layers.1.w"))
    (new,) = publish("1.1.0", other)
    for each, count in zip(old, (1, 2), strict=True):
        assert sum(told is not None for told in publish.saved(new, each).values()) == count


def test_looking_again_changes_nothing(publish: Published) -> None:
    publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(moved=0.001)))
    before = publish.recipe(new)
    encoding.encode(publish.registry.service, ("acme", "digits", "1.1.0"))
    assert publish.recipe(new) == before


def test_a_header_is_told_after_that_of_the_parent(publish: Published) -> None:
    names = (f"{number * number % 9973}.w{number}" for number in range(300))
    many = {name: np.full((128,), number, "<f4") for number, name in enumerate(names)}
    (old,) = publish("1.0.0", many)
    (new,) = publish("1.1.0", dict(reversed(many.items())))
    (saved,) = (each for each in publish.saved(new, old).values() if each is not None)
    assert saved < 0.7 * publish.recipe(new).stored[0]


def test_a_large_file_without_tensors_is_told_after_the_one_before(publish: Published) -> None:
    words = [f'"word {number}": {number * number % 977}' for number in range(20_000)]
    old, new = ("\n".join(each).encode() for each in (words, [*words[:99], "new", *words[99:]]))
    publish("1.0.0", bf16(model()), beside={"words.txt": old})
    publish("1.1.0", bf16(model()), beside={"words.txt": new})
    (saved,) = publish.saved(new, old).values()
    assert saved is not None
    assert saved < 0.02 * len(new)
