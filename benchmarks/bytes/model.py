"""A model like BERT's base (110 M parameters) as tensors that are made when they are written.

Each tensor's values come from a generator of its own, seeded by its name: the same everywhere, and
never more than one tensor in memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]

LORA_RANK = 8
LORA_STRENGTH = 0.02
"""Standard deviation of what LoRA adds, in sigmas of the weights: as hard to encode as the pair of
the reference."""
NEW_ROWS = 64


@dataclass(frozen=True)
class Tensor:
    """A name, a shape, the spread of its values, and how to make them."""

    name: str
    shape: tuple[int, ...]
    sigma: float
    make: Callable[[], Values]


@dataclass(frozen=True)
class Size:
    """How large a model is."""

    width: int = 768
    layers: int = 12
    vocabulary: int = 30_522
    positions: int = 512
    classes: int = 1000


FULL = Size()
SMALL = Size(width=192, vocabulary=7_630, positions=128, classes=250)
"""A sixteenth of it, for a quick look."""


def base(size: Size, seed: int = 1) -> list[Tensor]:
    """The parent of all pairs."""
    return [_normal(*row, seed) for row in _rows(size)]


def with_new_head(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Another classifier on the same backbone."""
    return [
        _normal(each.name, each.shape, each.sigma, 0.0, seed=2)
        if each.name.startswith("classifier.")
        else each
        for each in tensors
    ]


def with_new_words(tensors: Iterable[Tensor]) -> list[Tensor]:
    """A vocabulary of 64 more rows."""
    return [
        _longer(each) if each.name == "embeddings.word_embeddings.weight" else each
        for each in tensors
    ]


def with_lora_merged(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Products of rank 8 added to queries and values."""
    changed = ("query.weight", "value.weight")
    return [_adapted(each) if each.name.endswith(changed) else each for each in tensors]


def tuned_relative(tensors: Iterable[Tensor], strength: float) -> list[Tensor]:
    """Every weight changed by about `strength` of itself."""
    return [
        replace(each, make=lambda each=each: _relative(each, np.float32(strength)))
        for each in tensors
    ]


def tuned_absolute(tensors: Iterable[Tensor], strength: float) -> list[Tensor]:
    """Every weight changed by about `strength` of its tensor's sigma."""
    return [
        replace(each, make=lambda each=each: _absolute(each, np.float32(strength * each.sigma)))
        for each in tensors
    ]


def renamed(tensors: Iterable[Tensor], prefix: str) -> list[Tensor]:
    """The same tensors with `prefix` before each name."""
    return [replace(each, name=prefix + each.name) for each in tensors]


def shallower(tensors: Iterable[Tensor], layers: int) -> list[Tensor]:
    """The first `layers` layers, and what is around them."""
    kept = []
    for each in tensors:
        parts = each.name.split(".")
        if parts[:2] != ["encoder", "layer"] or int(parts[2]) < layers:
            kept.append(each)
    return kept


def _rows(size: Size) -> Iterator[tuple[str, tuple[int, ...], float, float]]:
    """Name, shape, sigma and mean of each tensor, in the order of their names in PyTorch."""
    width = size.width
    yield "embeddings.word_embeddings.weight", (size.vocabulary, width), 0.042, 0.0
    yield "embeddings.position_embeddings.weight", (size.positions, width), 0.021, 0.0
    yield "embeddings.token_type_embeddings.weight", (2, width), 0.013, 0.0
    yield from _norm("embeddings.LayerNorm", width)
    for layer in range(size.layers):
        sigma = 0.036 + 0.001 * layer
        name = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            yield from _linear(f"{name}.attention.self.{part}", width, width, sigma)
        yield from _linear(f"{name}.attention.output.dense", width, width, sigma)
        yield from _norm(f"{name}.attention.output.LayerNorm", width)
        yield from _linear(f"{name}.intermediate.dense", 4 * width, width, sigma)
        yield from _linear(f"{name}.output.dense", width, 4 * width, sigma)
        yield from _norm(f"{name}.output.LayerNorm", width)
    yield from _linear("pooler.dense", width, width, 0.03)
    yield from _linear("classifier", size.classes, width, 0.02)


def _linear(
    name: str, rows: int, columns: int, sigma: float
) -> Iterator[tuple[str, tuple[int, ...], float, float]]:
    yield f"{name}.weight", (rows, columns), sigma, 0.0
    yield f"{name}.bias", (rows,), sigma / 2, 0.0


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...], float, float]]:
    yield f"{name}.weight", (width,), 0.05, 0.85
    yield f"{name}.bias", (width,), 0.04, 0.0


def _normal(name: str, shape: tuple[int, ...], sigma: float, mean: float, seed: int) -> Tensor:
    def make() -> Values:
        values = noise(name, shape, seed)
        values *= np.float32(sigma)
        values += np.float32(mean)
        return values

    return Tensor(name, shape, sigma, make)


def noise(name: str, shape: tuple[int, ...], seed: int) -> Values:
    """Normal numbers that `name` and `seed` decide."""
    chance = np.random.Generator(np.random.SFC64([seed, zlib.crc32(name.encode())]))
    return chance.standard_normal(shape, dtype=np.float32)


def _longer(tensor: Tensor) -> Tensor:
    rows, width = tensor.shape

    def make() -> Values:
        more = noise(tensor.name, (NEW_ROWS, width), seed=3) * np.float32(tensor.sigma)
        return np.concatenate([tensor.make(), more])

    return replace(tensor, shape=(rows + NEW_ROWS, width), make=make)


def _adapted(tensor: Tensor) -> Tensor:
    rows, columns = tensor.shape
    scale = np.float32(LORA_STRENGTH * tensor.sigma / LORA_RANK**0.5)

    def make() -> Values:
        up = noise(f"{tensor.name}.up", (rows, LORA_RANK), seed=4)
        down = noise(f"{tensor.name}.down", (LORA_RANK, columns), seed=4)
        return tensor.make() + (up @ down) * scale

    return replace(tensor, make=make)


def _relative(tensor: Tensor, strength: np.float32) -> Values:
    values = tensor.make()
    change = noise(tensor.name, tensor.shape, seed=5)
    change *= strength
    change *= values
    values += change
    return values


def _absolute(tensor: Tensor, strength: np.float32) -> Values:
    values = tensor.make()
    change = noise(tensor.name, tensor.shape, seed=6)
    change *= strength
    values += change
    return values
