"""Parents of files: found by names of tensors, so that who has them fetches less."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import blake3
import numpy as np
import pytest

from modelshelf.store.codec import Codec
from modelshelf.store.recipe import DELTA, Parent, Recipe, loads
from tests.registry.conftest import Draft, digest

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Running

    Tensors = Mapping[str, np.ndarray[Any, Any]]

CAST = "float32>bfloat16"
DTYPES = {"float32": "F32", "uint16": "BF16"}


def weights(tensors: Tensors) -> bytes:
    """A safetensors file; numbers of 16 bits stand for bfloat16."""
    header, data = {}, b""
    for name, each in tensors.items():
        raw = each.tobytes()
        place = [len(data), len(data) + len(raw)]
        dtype = DTYPES[each.dtype.name]
        header[name] = {"dtype": dtype, "shape": [*each.shape], "data_offsets": place}
        data += raw
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + data


def model(*, seed: int = 0, moved: float = 0.0, rows: int = 400) -> Tensors:
    """float32 weights of some layers; `moved` by so much of themselves in training."""
    shapes = {"embed": (rows, 256), "layers.0.w": (256, 512), "layers.1.w": (512, 256)}
    made = {}
    for number, (name, shape) in enumerate(shapes.items()):
        first = np.random.default_rng([seed, number]).normal(scale=0.02, size=shape)
        step = np.random.default_rng([seed, number, 1]).normal(scale=moved, size=shape)
        made[name] = (first * (1 + step)).astype("<f4")
    return made


def bf16(tensors: Tensors) -> Tensors:
    """The same, rounded to the nearest, to the even one of two."""

    def rounded(each: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        bits = each.view("<u4")
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")

    return {name: rounded(each) for name, each in tensors.items()}


class Several(Draft):
    """A release whose files are all of one artifact."""

    def record(self) -> dict[str, Any]:
        record = super().record()
        record["variants"][0]["artifacts"][0]["files"] = [*self.files]
        return record


class Published:
    """A registry to which releases are published, each followed by the jobs that it leaves."""

    def __init__(self, registry: Running, client: Client) -> None:
        self.registry = registry
        self._client = client

    def __call__(self, version: str, *tensors: Tensors, **more: Any) -> list[bytes]:
        """Publish a file of each of the `tensors` → their bytes."""
        contents = [weights(each) for each in tensors]
        files = {f"{number}.safetensors": each for number, each in enumerate(contents)}
        answer = Several(version=version, files=files, **more).publish(self._client)
        assert answer.status == 201, answer.body
        self.registry.service.jobs.run_due()
        return contents

    def recipe(self, content: bytes) -> Recipe:
        answer = self.registry.client("GET", f"/recipes/{digest(content)}")
        return loads(answer.body, len(content))

    def saved(self, content: bytes, parent: bytes, kind: str = DELTA) -> Mapping[str, int | None]:
        """Bytes to fetch by segment, with the parent, after each was fetched and found right."""
        recipe = self.recipe(content)
        told = [each for each in recipe.parents if each.file == digest(parent)]
        (helping,) = [each for each in told if each.kind == kind]
        for (identifier, start, size), stored in zip(
            recipe.segments(), helping.stored, strict=True
        ):
            if stored is not None:
                made = self._made(helping, parent, (identifier, start, size), stored)
                assert made == content[start : start + size]
        ids = [identifier for identifier, _, _ in recipe.segments()]
        return dict(zip(ids, helping.stored, strict=True))

    def _made(
        self, parent: Parent, content: bytes, segment: tuple[str, int, int], stored: int
    ) -> bytes:
        identifier, start, size = segment
        place = parent.base(start, size)
        assert place is not None
        base = content[place[0] : place[0] + place[1]]
        if parent.kind != DELTA:
            assert stored == 0
            return bytes(Codec().cast(base, parent.kind))
        key = f"{identifier}-{blake3.blake3(base).hexdigest()}"
        answer = self.registry.client("GET", f"/segments/{key}")
        assert (answer.status, len(answer.body)) == (200, stored)
        return bytes(Codec().decode(answer.body, size, base))


@pytest.fixture
def publish(registry: Running, acme: Client) -> Published:
    registry.service.jobs.stop(30)
    registry.service.jobs._stopping.clear()
    return Published(registry, acme)


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
    from modelshelf.registry import encoding

    publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(moved=0.001)))
    before = publish.recipe(new)
    encoding.encode(publish.registry.service, ("acme", "digits", "1.1.0"))
    assert publish.recipe(new) == before
