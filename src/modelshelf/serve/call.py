"""A call against its signature: names, dtypes and shapes are checked before a runtime sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.errors import UsageError
from modelshelf.package.fitting import Kind, misfits
from modelshelf.package.signature import Signature
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
    kinds = {each: kind_of(array) for each, array in arrays.items()}
    for found in misfits(signature, "inputs", kinds, {}):
        raise UsageError(
            found.message,
            where=f"{chosen}{signature}",
            expected=found.expected,
            got=found.got,
            hint=found.hint,
        )
    return arrays


def kind_of(array: NDArray[Any]) -> Kind:
    """The array's dtype, as a record words it, and its sizes."""
    text = array.dtype.kind in "OUS"
    return Kind("string" if text else array.dtype.name, array.shape)


def _array(name: str, value: object) -> NDArray[Any]:
    if hasattr(value, "detach"):  # a torch tensor, perhaps with a gradient or on another device
        value = value.detach().cpu().numpy()
    try:
        array: NDArray[Any] = np.asarray(value)
    except ValueError as error:
        raise UsageError(f"the input `{name}` is no array: {error}") from None
    return array
