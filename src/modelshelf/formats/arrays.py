"""Arrays by name out of a small `.npz` file, without unpickling anything."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelshelf.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARRAY_COUNT = 256
UNPACKED_BYTES = 64 * 1024 * 1024
"""What the arrays may take together: golden inputs are examples, not datasets."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of the `.npz` file at `path`, in its order.

    Raises:
        FormatError: it is no `.npz`, is cut off, too large, or holds Python objects.

    """
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_large(archive.infolist(), path)
        with np.load(path, allow_pickle=False) as found:
            return {name: np.ascontiguousarray(found[name]) for name in found.files}
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError) as error:
        raise _broken(path, error) from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, SyntaxError, MemoryError) as error:
        raise _broken(path, error) from error


def _refuse_large(members: list[zipfile.ZipInfo], path: Path) -> None:
    size = sum(member.file_size for member in members)
    if len(members) > ARRAY_COUNT or size > UNPACKED_BYTES:
        raise FormatError(
            f"{path.name} holds more than an example needs",
            where=path.name,
            expected=f"at most {ARRAY_COUNT} arrays of {UNPACKED_BYTES} bytes together",
            got=f"{len(members)} arrays, {size} bytes",
        )


def _broken(path: Path, error: Exception) -> FormatError:
    return FormatError(
        f"{path.name} holds no plain arrays",
        where=path.name,
        got=str(error)[:200],
        hint="write it with numpy.savez(path, name=array)",
    )
