"""Arrays by name out of `.npz` and `.npy` files, without unpickling anything, and comparing them."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelshelf import formats
from modelshelf.errors import FormatError

ARRAY_COUNT = 256
UNPACKED_BYTES = 64 * 1024 * 1024
"""What the arrays may take together: golden inputs are examples, not datasets."""

Array = NDArray[Any]


class Difference(NamedTuple):
    """How far one array is from another: the worst of all, and the worst beyond the tolerance."""

    worst: float
    beyond: float


def read_arrays(path: Path, *, most_bytes: int = UNPACKED_BYTES) -> dict[str, Array]:
    """The arrays of the `.npz` file at `path`, in its order; a `.npy` file's one is `array`.

    The headers are read first: none of them may promise more than the file holds.

    Raises:
        FormatError: it is no such file, is cut off, too large, or holds Python objects.

    """
    refuse_large(path, most_bytes)
    facts = formats.read(path, "npz")
    objects = [tensor.name for tensor in facts.tensors if tensor.dtype == "object"]
    if objects:
        raise _broken(path, f"{objects[0]} holds Python objects")
    try:
        found = np.load(path, allow_pickle=False)
        if not isinstance(found, np.lib.npyio.NpzFile):
            return {"array": found}
        with found:
            return {name: np.asarray(found[name], order="C") for name in found.files}
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError) as error:
        raise _broken(path, str(error)) from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, SyntaxError, MemoryError) as error:
        raise _broken(path, str(error)) from error


def difference(expected: Array, given: Array, *, absolute: float, relative: float) -> Difference:
    """Compare value by value: within `absolute + relative * |expected|` nothing is beyond.

    Arrays of other shapes, and texts that are not the same, are infinitely far apart; infinities
    and what is no number agree with themselves alone.
    """
    text = "OSUV"
    if expected.shape != given.shape or expected.dtype.kind in text or given.dtype.kind in text:
        same = expected.shape == given.shape and bool(np.all(expected == given))
        return Difference(0.0, 0.0) if same else Difference(math.inf, math.inf)
    one, two = (each.astype(np.complex128) for each in (expected, given))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(one - two)
        allowed = absolute + relative * np.abs(one)
    alike = (expected == given) | (np.isnan(one) & np.isnan(two))
    apart = np.where(alike, 0.0, np.where(np.isnan(apart), math.inf, apart))
    allowed = np.where(np.isfinite(allowed), allowed, 0.0)
    beyond = np.where(apart <= allowed, 0.0, apart)
    return Difference(float(apart.max(initial=0.0)), float(beyond.max(initial=0.0)))


def refuse_large(path: Path, most_bytes: int = UNPACKED_BYTES) -> None:
    """Raise FormatError where the file holds too many arrays, or too many bytes together."""
    try:
        sizes = [path.stat().st_size]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                sizes = [member.file_size for member in archive.infolist()]
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise _broken(path, str(error)) from error
    if len(sizes) > ARRAY_COUNT or sum(sizes) > most_bytes:
        raise FormatError(
            f"{path.name} holds more than an example needs",
            where=path.name,
            expected=f"at most {ARRAY_COUNT} arrays of {most_bytes} bytes together",
            got=f"{len(sizes)} arrays, {sum(sizes)} bytes",
        )


def _broken(path: Path, why: str) -> FormatError:
    return FormatError(
        f"{path.name} holds no plain arrays",
        where=path.name,
        got=why[:200],
        hint="write it with numpy.savez(path, name=array)",
    )
