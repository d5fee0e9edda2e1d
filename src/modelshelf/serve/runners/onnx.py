"""ONNX graphs through onnxruntime."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from modelshelf import formats
from modelshelf.errors import FormatError
from modelshelf.serve.protocol import Arrays, Opened, Source


class OnnxRunner:
    """CPU by default; the graph's own operators are all that runs."""

    formats = ("onnx",)
    needs = "onnx"

    def available(self) -> bool:
        """Whether onnxruntime is installed."""
        return find_spec("onnxruntime") is not None

    def open(self, source: Source) -> Opened:
        """Make a session. Raises FormatError where onnxruntime refuses the graph."""
        import onnxruntime

        path = source.folder / source.artifact.files[0]
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise FormatError(f"onnxruntime cannot run it: {error}", where=str(path)) from error
        outputs = [each.name for each in session.get_outputs()]

        def call(arrays: Arrays) -> Arrays:
            results = session.run(outputs, arrays)
            return {name: np.asarray(each) for name, each in zip(outputs, results, strict=True)}

        return Opened(call, session, formats.read(path, "onnx").signatures)


RUNNER = OnnxRunner()
