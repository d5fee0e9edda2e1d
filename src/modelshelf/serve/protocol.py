"""What a runner is asked for, and the model that a user gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from modelshelf.errors import FormatError
from modelshelf.formats.labels import read_labels
from modelshelf.package.entry import Entry
from modelshelf.package.path import unsafe_path
from modelshelf.package.record import Artifact, Entrypoint, Variant
from modelshelf.package.signature import Signature
from modelshelf.serve.call import checked_inputs

Arrays = dict[str, NDArray[Any]]
Call = Callable[[Arrays], Arrays]


class Opened(NamedTuple):
    """A model a runner opened: how to call it, its native object, what the file itself declares."""

    call: Call
    native: object
    signatures: dict[str, Signature]


class Measured(NamedTuple):
    """What a runtime counted in one call: `macs` is None where it cannot tell; `tool` and version."""

    macs: int | None
    tool: str


class Source(NamedTuple):
    """What a runner opens: files of one artifact below `folder`."""

    folder: Path
    entry: Entry
    variant: Variant
    artifact: Artifact


class Runner(Protocol):
    """One runtime. `formats` are those it opens; `needs` is the extra that installs it.

    `runtime` is the distribution that runs the models.
    """

    formats: tuple[str, ...]
    needs: str | None
    runtime: str

    def available(self) -> bool:
        """Whether the runtime is installed; imports nothing."""
        ...

    def open(self, source: Source) -> Opened:
        """Open the artifact. Only runners of formats that carry code may run code of it."""
        ...

    def measure(self, source: Source, arrays: Arrays) -> Measured:
        """Open the artifact, call it once with `arrays`, count its multiply-accumulates."""
        ...


class Model:
    """One variant, ready to be called: `model(image=images)["logits"]`."""

    def __init__(self, source: Source, opened: Opened) -> None:
        self._opened = opened
        self.name = source.entry.name
        self.version = source.entry.version
        self.variant = source.variant.name
        self.format = source.artifact.format
        self.signatures: Mapping[str, Signature] = source.entry.signatures or opened.signatures
        self.variants = tuple(variant.name for variant in source.entry.variants)
        self.entrypoints: Mapping[str, Entrypoint] = {}
        self.folder = source.folder
        self.native = opened.native
        """The runtime's own object: an onnxruntime session, a torch module, a dict of arrays."""

    def __call__(self, *, signature: str | None = None, **inputs: object) -> Arrays:
        """Run one signature (the first where none is named); arrays in and out by name.

        Raises UsageError that shows the signature, where a name, dtype or shape does not fit.
        """
        return self.run(inputs, signature)

    def run(self, inputs: Mapping[str, object], signature: str | None = None) -> Arrays:
        """The same with the inputs as one mapping, for names that are no keywords of Python."""
        return self._opened.call(checked_inputs(self.signatures, signature, inputs, self.name))

    def labels(self, output: str) -> tuple[str, ...]:
        """The labels of an output's scores, in their order; none where there are none."""
        tensors = (each.outputs.get(output) for each in self.signatures.values())
        path = next((each.labels for each in tensors if each and each.labels), None)
        if path is None or unsafe_path(path):
            return ()
        try:
            return read_labels(self.folder / path)
        except FormatError:
            return ()

    def __repr__(self) -> str:
        lines = [f"  {name}{signature}" for name, signature in self.signatures.items()]
        head = f"<{self.name} {self.version} {self.variant} ({self.format})"
        return "\n".join([head, *lines]) + ">"
