"""ONNX graphs through onnxruntime."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from modelshelf import formats
from modelshelf.errors import FormatError
from modelshelf.serve.macs import multiply_accumulates
from modelshelf.serve.protocol import Arrays, Measured, Opened, Source


class OnnxRunner:
    """CPU by default; the graph's own operators are all that runs."""

    formats = ("onnx",)
    needs = "onnx"
    runtime = "onnxruntime"

    def available(self) -> bool:
        """Whether onnxruntime is installed."""
        return find_spec("onnxruntime") is not None

    def open(self, source: Source) -> Opened:
        """Make a session. Raises FormatError where onnxruntime refuses the graph."""
        import onnxruntime

        session = _session(source, onnxruntime.SessionOptions())
        outputs = [each.name for each in session.get_outputs()]

        def call(arrays: Arrays) -> Arrays:
            results = session.run(outputs, arrays)
            return {name: np.asarray(each) for name, each in zip(outputs, results, strict=True)}

        path = source.folder / source.artifact.files[0]
        return Opened(call, session, formats.read(path, "onnx").signatures)

    def measure(self, source: Source, arrays: Arrays) -> Measured:
        """Count by onnxruntime's own profile, with the graph as it was written: nothing fused."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.enable_profiling = True
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        with TemporaryDirectory() as folder:
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = _session(source, options)
            session.run(None, arrays)
            events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        nodes = [each["args"] for each in events if "op_name" in each.get("args", {})]
        return Measured(
            multiply_accumulates(nodes), f"onnxruntime {onnxruntime.__version__} profile"
        )


def _session(source: Source, options: Any) -> Any:
    import onnxruntime

    path = source.folder / source.artifact.files[0]
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise FormatError(f"onnxruntime cannot run it: {error}", where=str(path)) from error


RUNNER = OnnxRunner()
