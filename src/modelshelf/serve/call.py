"""A call against its signature: names, dtypes and shapes are checked before a runtime sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.errors import UsageError
from modelshelf.package.signature import Signature, Tensor
from modelshelf.package.vocabularies import nearest


def checked_inputs(
    signatures: Mapping[str, Signature],
    name: str | None,
    inputs: Mapping[str, object],
    package: str,
) -> dict[str, NDArray[Any]]:
    """The inputs as arrays, each one what the signature accepts; nothing is cast.

    Raises UsageError with the signature, what was expected and what was given. A model without a
    signature takes whatever its runtime takes.
    """
    arrays = {each: _array(each, value) for each, value in inputs.items()}
    if not signatures:
        return arrays
    chosen = name or next(iter(signatures))
    if chosen not in signatures:
        raise UsageError(
            f"{package} has no signature `{chosen}`",
            expected=", ".join(signatures),
            hint=nearest(chosen, list(signatures)),
        )
    signature = signatures[chosen]
    _check_names(chosen, signature, arrays)
    sizes: dict[str, tuple[str, int]] = {}
    for each, array in arrays.items():
        _check_array(f"{chosen}{signature}", each, signature.inputs[each], array, sizes)
    return arrays


def _array(name: str, value: object) -> NDArray[Any]:
    if hasattr(value, "detach"):  # a torch tensor, perhaps with a gradient or on another device
        value = value.detach().cpu().numpy()
    try:
        array: NDArray[Any] = np.asarray(value)
    except ValueError as error:
        raise UsageError(f"the input `{name}` is no array: {error}") from None
    return array


def _check_names(chosen: str, signature: Signature, arrays: Mapping[str, NDArray[Any]]) -> None:
    for each in arrays:
        if each not in signature.inputs:
            raise UsageError(
                f"there is no input `{each}`",
                where=f"{chosen}{signature}",
                hint=nearest(each, list(signature.inputs))
                or f"the inputs are: {', '.join(signature.inputs)}",
            )
    missing = [n for n, t in signature.inputs.items() if n not in arrays and not t.optional]
    if missing:
        raise UsageError(
            f"the input `{missing[0]}` is missing",
            where=f"{chosen}{signature}",
            expected=f"{missing[0]}={signature.inputs[missing[0]]}",
        )


def _check_array(
    where: str,
    name: str,
    tensor: Tensor,
    array: NDArray[Any],
    sizes: dict[str, tuple[str, int]],
) -> None:
    given = f"{array.dtype.name}{list(array.shape)}"
    if array.dtype.name != tensor.dtype and not (
        tensor.dtype == "string" and array.dtype.kind in "OUS"
    ):
        raise UsageError(
            f"the input `{name}` has the wrong dtype",
            where=where,
            expected=tensor.dtype,
            got=array.dtype.name,
            hint=f"convert it: {name}.astype('{tensor.dtype}')",
        )
    if tensor.shape is None:
        return
    if len(array.shape) != len(tensor.shape):
        raise UsageError(
            f"the input `{name}` has {len(array.shape)} axes instead of {len(tensor.shape)}",
            where=where, expected=str(tensor), got=given,
        )  # fmt: skip
    for size, wanted in zip(array.shape, tensor.shape, strict=True):
        if isinstance(wanted, int) and size != wanted:
            raise UsageError(
                f"the input `{name}` has the wrong shape",
                where=where, expected=str(tensor), got=given,
            )  # fmt: skip
        if isinstance(wanted, str) and sizes.setdefault(wanted, (name, size))[1] != size:
            other, before = sizes[wanted]
            raise UsageError(
                f"`{wanted}` is {before} in `{other}` but {size} in `{name}`",
                where=where, expected=str(tensor), got=given,
            )  # fmt: skip
