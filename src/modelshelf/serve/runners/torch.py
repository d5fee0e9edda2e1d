"""PyTorch entrypoints: the publisher's `hubconf.py` builds the model. This runs their code."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from modelshelf.errors import FormatError, UsageError
from modelshelf.package.signature import Signature
from modelshelf.serve.protocol import Arrays, Measured, Opened, Source


class TorchRunner:
    """Consent was asked before: see `checks.safety.consent`."""

    formats = ("pytorch-hub",)
    needs = "torch"
    runtime = "torch"

    def available(self) -> bool:
        """Whether torch is installed."""
        return find_spec("torch") is not None

    def open(self, source: Source) -> Opened:
        """Import `hubconf.py`, call the variant's entrypoint with its defaults, set to inference.

        Raises UsageError where the variant names no entrypoint, FormatError where the code fails.
        """
        import torch

        path = source.folder / source.artifact.files[0]
        name = source.variant.entrypoint
        if name is None:
            raise UsageError(
                f"variant `{source.variant.name}` names no entrypoint", where=str(path)
            )
        try:
            with _importable(path.parent):
                module = getattr(_imported(path), name)()
        except Exception as error:
            raise FormatError(
                f"the entrypoint `{name}` failed: {type(error).__name__}: {error}", where=str(path)
            ) from error
        if isinstance(module, torch.nn.Module):
            module.eval()
        signatures = source.entry.signatures

        def call(arrays: Arrays) -> Arrays:
            tensors = [torch.as_tensor(array) for array in _ordered(arrays, signatures)]
            with torch.inference_mode():
                result = module(*tensors)
            return _by_name(result, signatures)

        return Opened(call, module, {})

    def measure(self, source: Source, arrays: Arrays) -> Measured:
        """Count with torch's own counter of floating-point operations, two a multiply-accumulate."""
        import torch
        from torch.utils.flop_counter import FlopCounterMode

        call = self.open(source).call
        with FlopCounterMode(display=False) as counter:
            call(arrays)
        return Measured(
            counter.get_total_flops() // 2, f"torch {torch.__version__} FlopCounterMode"
        )


def _imported(path: Path) -> ModuleType:
    """The module at `path`, run; not kept in sys.modules."""
    spec = importlib.util.spec_from_file_location(f"_shelf_{abs(hash(path))}", path)
    if spec is None or spec.loader is None:
        raise FormatError("not a Python module", where=str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let code import its neighbours in `folder`; forget them afterwards.

    Another package, or the next release of this one, may have modules of the same names.
    """
    sys.path.insert(0, str(folder))
    written = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # the shelf holds what the lock names, and nothing else
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = written
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]


def _ordered(arrays: Arrays, signatures: Mapping[str, Signature]) -> Iterator[object]:
    """Positional arguments in the order of the signature that has these inputs."""
    for signature in signatures.values():
        if arrays.keys() <= signature.inputs.keys():
            return iter([arrays[name] for name in signature.inputs if name in arrays])
    return iter(arrays.values())


def _by_name(result: Any, signatures: Mapping[str, Signature]) -> Arrays:
    """The result's tensors under the names of the outputs that the first signature promises."""
    if isinstance(result, Mapping):
        return {str(name): each.numpy() for name, each in result.items()}
    tensors = list(result) if isinstance(result, tuple | list) else [result]
    names = list(next(iter(signatures.values())).outputs) if signatures else []
    names += [f"output{number}" for number in range(len(names), len(tensors))]
    return {name: each.numpy() for name, each in zip(names, tensors, strict=False)}


RUNNER = TorchRunner()
