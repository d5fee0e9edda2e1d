"""One call of a model from the command line: inputs out of files and words, outputs into files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from modelshelf.errors import UsageError
from modelshelf.formats.arrays import Array, read_arrays
from modelshelf.package.signature import Signature, Tensor
from modelshelf.package.vocabularies import nearest
from modelshelf.serve.protocol import Arrays, Model

INPUT_BYTES = 4 * 1024 * 1024 * 1024
"""The most that the arrays of one input file may take."""
shown_values = 1000
"""How many values of an output are put into JSON."""

_EXPECTED = "NAME=FILE.npy, NAME=FILE.npz, NAME=JSON or FILE.npz"


class Told(NamedTuple):
    """An output as it is shown: `values` only where they are few, `labels` of the best scores."""

    dtype: str
    shape: tuple[int, ...]
    values: object
    labels: list[str] | None


def chosen(model: Model, name: str | None) -> str | None:
    """The signature that is called: the one named, else the first. Raises UsageError."""
    known = list(model.signatures)
    if name is not None and name not in known:
        hint = nearest(name, known) or "shelf info tells what a package is called with"
        raise UsageError(
            f"{model.name} has no signature `{name}`", expected=", ".join(known), hint=hint
        )
    return name or next(iter(known), None)


def inputs(texts: Sequence[str], signature: Signature | None) -> dict[str, Array]:
    """The arrays that `texts` name, each `NAME=FILE`, `NAME=JSON` or an `.npz` file of several.

    JSON becomes what the signature says: its dtype, whole numbers stay whole. Raises UsageError,
    FormatError.
    """
    found: dict[str, Array] = {}
    for text in texts:
        for name, array in _input(text, signature).items():
            if name in found:
                raise UsageError(f"the input `{name}` is given twice", got=text)
            found[name] = array
    return found


def _input(text: str, signature: Signature | None) -> dict[str, Array]:
    name, equals, value = text.partition("=")
    if not equals:
        if text.endswith(".npz"):
            return _file(text)
        raise UsageError(f"`{text[:80]}` is no input", expected=_EXPECTED)
    if not name:
        raise UsageError(f"`{text[:80]}` names no input", expected=_EXPECTED)
    if value.endswith(".npy"):
        return {name: _file(value)["array"]}
    if value.endswith(".npz"):
        return {name: _one(name, _file(value), value)}
    return {name: _literal(name, value, signature.inputs.get(name) if signature else None)}


def _file(path: str) -> dict[str, Array]:
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}", expected=_EXPECTED)
    return read_arrays(Path(path), most_bytes=INPUT_BYTES)


def _one(name: str, arrays: Mapping[str, Array], path: str) -> Array:
    """The array called like the input, or the only one."""
    if name in arrays:
        return arrays[name]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    raise UsageError(
        f"{path} has no array `{name}`",
        expected=", ".join(arrays),
        hint=nearest(name, list(arrays)) or f"give them all: --input {path}",
    )


def _literal(name: str, text: str, tensor: Tensor | None) -> Array:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(
            f"the input `{name}` is neither a file nor JSON",
            expected=_EXPECTED,
            got=text[:80],
            hint=f"text is written in quotes: --input '{name}=[\"words\"]'",
        ) from None
    wanted = tensor.dtype if tensor else None
    try:
        plain = np.array(value)
        array = _typed(plain, wanted or _usual(plain))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise UsageError(
            f"the input `{name}` is no array" + (f" of {wanted}" if wanted else ""),
            expected=str(tensor) if tensor else None,
            got=f"{text[:80]} ({error})",
        ) from None
    return array


def _usual(plain: Array) -> str:
    """The dtype where no signature tells one."""
    return "string" if plain.dtype.kind == "U" else plain.dtype.name


def _typed(plain: Array, wanted: str) -> Array:
    """The values as `wanted`; raises ValueError where one of them would become another."""
    if wanted == "string":
        if plain.dtype.kind != "U":
            raise ValueError("not all of it is text")
        return plain.astype(object)
    if plain.dtype.kind not in "biuf" and plain.size:
        raise ValueError("not all of it is numbers")
    kind = np.dtype(wanted)
    whole = kind.kind in "iu"
    if whole and plain.dtype.kind == "f" and not bool(np.all(plain == np.floor(plain))):
        raise ValueError("not all of it is whole numbers")
    if whole and plain.size and plain.dtype.kind != "b":
        limits = np.iinfo(kind)
        if plain.min() < limits.min or plain.max() > limits.max:
            raise ValueError(f"beyond {limits.min} to {limits.max}")
    if kind.kind == "b" and plain.dtype.kind != "b" and plain.size:
        raise ValueError("true and false are what it takes")
    with np.errstate(over="raise"):
        return plain.astype(kind)


def targets(texts: Sequence[str], signature: Signature | None) -> dict[str, Path]:
    """Where each output goes: `NAME=FILE.npy`. Raises UsageError."""
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise UsageError(f"`{text[:80]}` is no output", expected="NAME=FILE.npy")
        if signature:
            require_output(name, signature.outputs)
        found[name] = Path(path)
    return found


def require_output(name: str, outputs: Mapping[str, object]) -> None:
    """Raise UsageError where there is no output `name`."""
    if name not in outputs:
        known = list(outputs)
        raise UsageError(
            f"there is no output `{name}`", expected=", ".join(known), hint=nearest(name, known)
        )


def save(outputs: Arrays, single: Mapping[str, Path], together: Path | None) -> None:
    """Write outputs, each into its `.npy` file or all into one `.npz` file."""
    for name in single:
        require_output(name, outputs)
    for name, path in single.items():
        with path.open("wb") as file:
            np.save(file, _plain(outputs[name]), allow_pickle=False)
    if together is not None:
        with together.open("wb") as file:
            arrays: dict[str, Any] = {name: _plain(each) for name, each in outputs.items()}
            np.savez(file, **arrays)


def told(model: Model, signature: str | None, outputs: Arrays) -> dict[str, Told]:
    """The outputs as they are shown, with the labels of the best scores."""
    return {
        name: Told(
            "string" if array.dtype.kind in "OUS" else array.dtype.name,
            array.shape,
            _values(array) if array.size <= shown_values else None,
            _best(array, model.signatures[signature].outputs.get(name), model.labels(name))
            if signature
            else None,
        )
        for name, array in outputs.items()
    }


def _best(array: Array, tensor: Tensor | None, labels: Sequence[str]) -> list[str] | None:
    """The label of the highest score of each example; None where the values are no scores."""
    if tensor is None or tensor.meaning != "class-scores" or not labels or not array.ndim:
        return None
    if array.shape[-1] != len(labels) or array.ndim > 2 or array.dtype.kind not in "iuf":
        return None
    return [labels[int(best)] for best in np.atleast_1d(array.argmax(axis=-1))][:shown_values]


def _values(array: Array) -> object:
    plain = _plain(array)
    return (plain.astype(str) if plain.dtype.kind in "cV" else plain).tolist()


def _plain(array: Array) -> Array:
    """Texts that came as Python objects or bytes, as an array of texts."""
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", "replace")
    return array.astype(str) if array.dtype.kind == "O" else array
