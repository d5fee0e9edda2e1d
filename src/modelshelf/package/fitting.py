"""Whether arrays are what a signature says: their names, dtypes and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from modelshelf.package.signature import ANY_SIZE, Dimension, Signature, Tensor
from modelshelf.package.vocabularies import nearest

Side = Literal["inputs", "outputs"]


class Kind(NamedTuple):
    """What is asked of an array: the word of its dtype, and its sizes."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        """`float32[2, 3]`."""
        return f"{self.dtype}{list(self.shape)}"


class Size(NamedTuple):
    """What a named size is in one call, and the array that told."""

    array: str
    size: int


class Misfit(NamedTuple):
    """One thing that is wrong with an array called `name`."""

    name: str
    message: str
    expected: str | None = None
    got: str | None = None
    hint: str | None = None


def misfits(
    signature: Signature, side: Side, arrays: Mapping[str, Kind], sizes: dict[str, Size]
) -> Iterator[Misfit]:
    """Yield what is wrong with arrays given as the inputs, or put out as the outputs.

    `sizes` holds the named sizes met so far and is added to: outputs are checked with what the
    inputs have told.
    """
    tensors: dict[str, Tensor] = getattr(signature, side)
    word = side.removesuffix("s")
    for name in arrays:
        if name not in tensors:
            hint = nearest(name, list(tensors)) or f"the {side} are: {', '.join(tensors)}"
            yield Misfit(name, f"there is no {word} `{name}`", hint=hint)
    for name, tensor in tensors.items():
        if name not in arrays and not tensor.optional:
            yield Misfit(name, f"the {word} `{name}` is missing", expected=f"{name}={tensor}")
    for name, kind in arrays.items():
        if name in tensors:
            yield from _array(signature, word, name, kind, sizes, tensors[name])


def _array(
    signature: Signature,
    word: str,
    name: str,
    kind: Kind,
    sizes: dict[str, Size],
    tensor: Tensor,
) -> Iterator[Misfit]:
    wrong: str | None
    if kind.dtype != tensor.dtype:
        wrong = f"the {word} `{name}` has the wrong dtype"
        hint = f"convert it: {name}.astype('{tensor.dtype}')"
        yield Misfit(name, wrong, tensor.dtype, kind.dtype, hint)
        return
    if tensor.shape is None:
        return
    if len(kind.shape) != len(tensor.shape):
        wrong = f"the {word} `{name}` has {len(kind.shape)} axes instead of {len(tensor.shape)}"
        yield Misfit(name, wrong, str(tensor), str(kind))
        return
    for size, wanted in zip(kind.shape, tensor.shape, strict=True):
        wrong = _size(signature, word, name, size, wanted, sizes)
        if wrong is not None:
            yield Misfit(name, wrong, str(tensor), str(kind))
            return


def _size(
    signature: Signature,
    word: str,
    name: str,
    size: int,
    wanted: Dimension,
    sizes: dict[str, Size],
) -> str | None:
    if isinstance(wanted, int):
        return None if size == wanted else f"the {word} `{name}` has the wrong shape"
    if wanted is None:
        return None
    allowed = signature.symbols.get(wanted, ANY_SIZE)
    if size not in allowed:
        return f"`{wanted}` is {size} in `{name}` but must be in {allowed}"
    told = sizes.setdefault(wanted, Size(name, size))
    if told.size == size:
        return None
    return f"`{wanted}` is {told.size} in `{told.array}` but {size} in `{name}`"
