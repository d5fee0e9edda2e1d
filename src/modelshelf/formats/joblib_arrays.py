"""The arrays that joblib writes between a pickle's instructions: how many bytes each one takes.

Source: `NumpyArrayWrapper.read_array` of `joblib/numpy_pickle.py`. Whatever is not written the way
joblib writes it is refused: a wrong length would let the bytes of an array pass for instructions.
"""

from __future__ import annotations

import math
import re
from typing import Any, Protocol, TypeGuard

from modelshelf.errors import FormatError
from modelshelf.formats.placeholders import DICT, Global, Node

WRAPPER = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
DTYPE = Global("numpy", "dtype")
FIELD_COUNT = 1000
RANK = 64

# All but `O` have a size: `i` alone would mean what the machine takes for an int.
_CODE = re.compile(r"[<>|=]?(?:([biufcmMSUV])(\d{1,9})|(O)8?)")
_FLEXIBLE = "SUV"
_HAS_OBJECTS = 1
"""`NPY_ITEM_HASOBJECT` of `numpy/ndarraytypes.h`: what NumPy goes by, whatever the fields say."""
_KEYS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}


class Skipping(Protocol):
    """What the bytes of an array lie in."""

    def read(self, count: int, /) -> bytes:
        """At most `count` bytes from here."""

    def skip(self, count: int) -> None:
        """Go on behind `count` bytes; raises FormatError where they are not there."""


def skip_array(wrapper: Node, source: Skipping) -> bool:
    """Pass over an array's bytes; True, without moving, where a pickle of objects follows.

    Raises:
        FormatError: the wrapper is not as joblib writes it, or the bytes are not there.

    """
    state = _state(wrapper)
    value_bytes = dtype_bytes(state.get("dtype"))
    if value_bytes is None:
        return True
    shape = state.get("shape")
    if not _is_shape(shape):
        raise FormatError("an array's shape is not a tuple of sizes")
    if state.get("numpy_array_alignment_bytes") is not None:
        padding = source.read(1)
        source.skip(padding[0] if padding else 1)
    source.skip(math.prod(shape) * value_bytes)
    return False


def _is_shape(value: object) -> TypeGuard[tuple[int, ...]]:
    return (
        isinstance(value, tuple)
        and len(value) <= RANK
        and all(type(size) is int and 0 <= size < 1 << 62 for size in value)
    )


def dtype_bytes(value: object) -> int | None:
    """How many bytes one value of a pickled dtype takes; None for Python objects."""
    kind, told, state = _dtype(value)
    sizes = {told, -1} if kind in _FLEXIBLE else {-1}
    if state[2] is not None or state[5] not in sizes or (kind != "V" and state[4] is not None):
        raise FormatError("an array's dtype is not written as NumPy writes it")
    objects = kind == "O" or _has_objects(state[4])
    if objects != bool(state[7] & _HAS_OBJECTS):
        raise FormatError("an array's dtype hides whether it holds objects")
    return None if objects else told


def _dtype(value: object) -> tuple[str, int, tuple[Any, ...]]:
    """Kind, bytes and state of a pickled dtype.

    State: version, order of bytes, sub-array, names, fields, bytes of a value, alignment, flags.
    """
    if not (isinstance(value, Node) and value.origin == DTYPE and value.arguments):
        raise FormatError("an array's dtype is not written as NumPy writes it")
    code = value.arguments[0]
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    state = value.states[0] if len(value.states) == 1 else None
    if match is None or value.pairs or value.items:
        raise FormatError("an array has an unknown dtype", got=str(code)[:40])
    if not (isinstance(state, tuple) and len(state) == 8 and type(state[7]) is int):
        raise FormatError("an array's dtype is not written as NumPy writes it")
    kind, digits = match[1] or match[3], match[2]
    return kind, int(digits or 1) * (4 if kind == "U" else 1), state


def _has_objects(fields: object) -> bool:
    """Whether a record has a field of Python objects, at any depth."""
    pending = [fields]
    for _ in range(FIELD_COUNT):
        if not pending:
            return False
        value = pending.pop()
        if isinstance(value, Node) and value.origin == DTYPE:
            kind, _, state = _dtype(value)
            if kind == "O":
                return True
            pending += [state[4], state[2]]
        elif isinstance(value, Node):
            pending += [each for _, each in value.pairs]
        elif isinstance(value, tuple):
            pending += value
    raise FormatError("an array's records have too many fields")


def _state(wrapper: Node) -> dict[object, object]:
    state = wrapper.states[0] if len(wrapper.states) == 1 else None
    if not (isinstance(state, Node) and state.origin == DICT) or wrapper.arguments:
        raise FormatError("an array is not written as joblib writes it")
    names = [key for key, _ in state.pairs if isinstance(key, str)]
    if len(set(names)) != len(state.pairs) or not {"shape", "dtype"} <= set(names) <= _KEYS:
        raise FormatError("an array is not written as joblib writes it")
    return dict(state.pairs)
