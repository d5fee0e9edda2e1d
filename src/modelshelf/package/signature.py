"""Signatures: named inputs and outputs with dtype, shape and meaning (the paper's 6.2.2.1)."""

from __future__ import annotations

import math

import msgspec

DTYPES = (
    "bool", "int4", "int8", "int16", "int32", "int64", "uint4", "uint8", "uint16", "uint32",
    "uint64", "float4", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz",
    "float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128", "string",
)  # fmt: skip

Dimension = int | str | None
"""A fixed size, a named symbol (equal names are equal sizes), or None where nothing is known."""


class Interval(msgspec.Struct, frozen=True, omit_defaults=True):
    """The sizes that a symbol may stand for: from `min` to `max` (None: no end), by `step`."""

    min: int = 0
    max: int | None = None
    step: int = 1

    def __contains__(self, size: int) -> bool:
        return (
            size >= self.min
            and (self.max is None or size <= self.max)
            and (size - self.min) % self.step == 0
        )

    @property
    def only(self) -> int | None:
        """The one size there is; None where there are more."""
        return self.min if self.max is not None and self.max < self.min + self.step else None

    def outside(self, other: Interval) -> int | None:
        """A size in here that is not in `other`, none below 2 if it can be; None where all are."""
        last = self.max if self.max is not None else self.min + self.step
        last -= (last - self.min) % self.step
        beyond = [] if other.max is None else [self.at_least(other.max + 1)]
        usual = self.at_least(2)
        sizes = (usual, usual + self.step, self.min, self.min + self.step, last, *beyond)
        return next((size for size in sizes if size in self and size not in other), None)

    def at_least(self, size: int) -> int:
        """The smallest size from `size` on that the step allows, whatever `max` is."""
        return self.min + max(0, -(-(size - self.min) // self.step)) * self.step

    def meet(self, other: Interval) -> Interval | None:
        """The sizes that are in both; None where there are none (the Chinese remainder theorem)."""
        common = math.gcd(self.step, other.step)
        if (other.min - self.min) % common:
            return None
        turns = other.step // common
        steps = (other.min - self.min) // common * pow(self.step // common, -1, turns) % turns
        every = Interval(self.min + steps * self.step, None, self.step * turns)
        least = every.at_least(other.min)
        most = min((m for m in (self.max, other.max) if m is not None), default=None)
        return Interval(least, most, every.step) if most is None or least <= most else None

    def __str__(self) -> str:
        """`32..512 by 32`."""
        step = f" by {self.step}" if self.step != 1 else ""
        return f"{self.min}..{'' if self.max is None else self.max}{step}"


ANY_SIZE = Interval()


class Tensor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The set of arrays that an input accepts or an output produces.

    `shape` is outermost first; `range` is (lowest, highest) of the values; `layout` names the
    axes (`NCHW`); `labels` is a file of the package with one class a line, a closed set unless
    `labels_grow`. `colors` is the order of an image's channels (`RGB`), `mean` and `std` (one a
    channel) what the values were normalised with, `sample_rate` a sound's in Hz. `space` names
    the space of an embedding: outputs of equal `space` can be compared, whatever the weights.
    """

    dtype: str
    shape: tuple[Dimension, ...] | None = None
    meaning: str | None = None
    description: str | None = None
    range: tuple[float, float] | None = None
    layout: str | None = None
    labels: str | None = None
    optional: bool = False
    labels_grow: bool = False
    colors: str | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    sample_rate: int | None = None
    space: str | None = None

    def __str__(self) -> str:
        """`float32[batch, 1, 8, 8]`; an unknown rank is `float32[...]`, an unknown size `?`."""
        if self.shape is None:
            return f"{self.dtype}[...]"
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype}[{sizes}]"


class Signature(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to call a model: what goes in, what comes out, by name.

    `symbols` bounds the sizes that named dimensions may have; one that is not there has any size.
    """

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    description: str | None = None
    symbols: dict[str, Interval] = {}

    def __str__(self) -> str:
        """`(image: float32[batch, 1, 8, 8]) -> (logits: float32[batch, 10])`."""
        return f"({_listed(self.inputs)}) -> ({_listed(self.outputs)})"


def _listed(tensors: dict[str, Tensor]) -> str:
    return ", ".join(
        f"{name}{'?' if tensor.optional else ''}: {tensor}" for name, tensor in tensors.items()
    )


def disagreement(declared: Signature, extracted: Signature) -> list[tuple[str, str, str]]:
    """Where a declared signature says other than the file: (place, declared, extracted) each.

    What the file does not know (one of the sides altogether, rank, a size, the order of names) is
    no disagreement. A symbol agrees with any symbol, a number only with the same number or an
    unknown size. An input must not be said to take more than the file's: sizes that the file
    wants equal are equal, and within the file's bounds. What the file needs is not optional, nor
    is an output promised that may be absent.
    """
    found: list[tuple[str, str, str]] = []
    same: dict[str, Dimension] = {}
    for side in ("inputs", "outputs"):
        said: dict[str, Tensor] = getattr(declared, side)
        read: dict[str, Tensor] = getattr(extracted, side)
        if not read:
            continue
        for name in sorted(said.keys() | read.keys()):
            place = f"{side}.{name}"
            if name not in read:
                found.append((place, str(said[name]), "absent"))
            elif name not in said:
                found.append((place, "absent", str(read[name])))
            elif not _agree(said[name], read[name]):
                found.append((place, str(said[name]), str(read[name])))
            elif _spared(side, said[name], read[name]):
                mine, theirs = (f"{t}{', optional' * t.optional}" for t in (said[name], read[name]))
                found.append((place, mine, theirs))
            elif side == "inputs":
                pairs = zip(said[name].shape or (), read[name].shape or (), strict=False)
                more = [_more(declared, extracted, same, *pair) for pair in pairs]
                told = next((each for each in more if each), None)
                if told is not None:
                    found.append((place, f"{said[name]}, {told[0]}", f"{read[name]}, {told[1]}"))
    return found


def _agree(said: Tensor, read: Tensor) -> bool:
    if said.dtype != read.dtype:
        return False
    if said.shape is None or read.shape is None:
        return said.shape == read.shape or read.shape is None
    return len(said.shape) == len(read.shape) and all(
        theirs is None or mine == theirs or (isinstance(theirs, str) and not isinstance(mine, int))
        for mine, theirs in zip(said.shape, read.shape, strict=True)
    )


def _spared(side: str, said: Tensor, read: Tensor) -> bool:
    """Whether callers are told that they may leave out what is needed, or get what may be absent."""
    may, must = (said, read) if side == "inputs" else (read, said)
    return may.optional and not must.optional


def _more(
    declared: Signature,
    extracted: Signature,
    same: dict[str, Dimension],
    mine: Dimension,
    theirs: Dimension,
) -> tuple[str, str] | None:
    """In words, what the declared size takes and what the file's one takes, where that is less."""
    if not isinstance(theirs, str) or not isinstance(mine, str):
        return None
    bounds, limits = (
        one.symbols.get(size, ANY_SIZE) for one, size in ((declared, mine), (extracted, theirs))
    )
    if bounds.outside(limits) is not None:
        return f"`{mine}` in {bounds}", f"`{theirs}` in {limits}"
    first = same.setdefault(theirs, mine)
    return None if first == mine else (f"`{first}` and `{mine}`", f"both `{theirs}`")


def element_count(shape: tuple[int, ...]) -> int:
    """How many values an array of `shape` has; 1 for a scalar."""
    return math.prod(shape)
