"""Models of a few tensors, published one release after another, to look at what is stored of them."""

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

Tensors = Mapping[str, "np.ndarray[Any, Any]"]
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
        bits: np.ndarray[Any, Any] = each.view("<u4")
        return np.asarray((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16, "<u2")

    return {name: rounded(each) for name, each in tensors.items()}


class Several(Draft):
    """A release of one artifact with several files, and maybe others beside them."""

    def record(self) -> dict[str, Any]:
        record = super().record()
        others = [path for path in self.files if not path.endswith(".safetensors")]
        models = [path for path in self.files if path not in others]
        record["variants"][0]["artifacts"][0]["files"] = models
        record["package"]["include"] = others
        return record


class Published:
    """A registry to which releases are published, each followed by the jobs that it leaves."""

    def __init__(self, registry: Running, client: Client) -> None:
        self.registry = registry
        self.client = client

    def __call__(
        self,
        version: str,
        *tensors: Tensors,
        beside: Mapping[str, bytes] | None = None,
        **more: Any,
    ) -> list[bytes]:
        """Publish a file of each of the `tensors` → their bytes; others by name `beside` them."""
        contents = [weights(each) for each in tensors]
        files = {f"{number}.safetensors": each for number, each in enumerate(contents)}
        files |= beside or {}
        answer = Several(version=version, files=files, **more).publish(self.client)
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
