"""Safetensors as NumPy arrays: tensors by name, mapped from the file, nothing to call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modelshelf import formats
from modelshelf.errors import UsageError
from modelshelf.serve.protocol import Arrays, Measured, Opened, Source

_STORED: dict[str, str] = {"bool": "?", "bfloat16": "<u2"}
"""NumPy has no bfloat16: its 16 bits are given as unsigned integers."""


class TensorsRunner:
    """A file of weights has no graph: `model.native` is the dict of its arrays."""

    formats = ("safetensors",)
    needs = None
    runtime = "numpy"

    def available(self) -> bool:
        """NumPy is all it takes."""
        return True

    def open(self, source: Source) -> Opened:
        """Map the tensors. Raises FormatError for a file that is not well formed."""
        from modelshelf.formats.safetensors import tensor_offsets

        path = source.folder / source.artifact.files[0]
        whole: NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        arrays: Arrays = {}
        for tensor, begin, end in tensor_offsets(path):
            stored = np.dtype(_STORED.get(tensor.dtype, tensor.dtype)).newbyteorder("<")
            arrays[tensor.name] = whole[begin:end].view(stored).reshape(tensor.shape)

        def call(_arrays: Arrays) -> Arrays:
            raise _nothing_to_call(path)

        return Opened(call, arrays, formats.read(path, "safetensors").signatures)

    def measure(self, source: Source, arrays: Arrays) -> Measured:  # noqa: ARG002  the protocol's
        """Raise UsageError: weights alone are not called."""
        raise _nothing_to_call(source.folder / source.artifact.files[0])


def _nothing_to_call(path: Path) -> UsageError:
    return UsageError(
        "a safetensors file holds weights, not a program that could be called",
        where=str(path),
        hint="take the arrays from model.native, or install another format (--format onnx)",
    )


RUNNER = TensorsRunner()
