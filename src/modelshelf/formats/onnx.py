"""ONNX: a graph of operators with typed inputs and outputs, read from its protobuf headers."""

from __future__ import annotations

import mmap
from pathlib import Path, PureWindowsPath

from modelshelf.errors import FormatError
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.onnx_graph import External, Model, model_of
from modelshelf.formats.protobuf import Bytes, Wire
from modelshelf.package.signature import Signature

STANDARD_DOMAINS = ("", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training")
RUNTIME_DOMAINS = ("com.microsoft", "com.ms.internal.nhwc", "com.microsoft.nchwc")
"""Operators that onnxruntime itself brings: no library of the publisher is needed."""


def read(path: Path) -> Facts:
    """What a `.onnx` file says; files with external data are not opened, only looked for."""
    if path.stat().st_size == 0:
        raise FormatError("the file is empty", hint="export the model again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return facts_of(data, path)


def facts_of(data: Bytes, path: Path) -> Facts:
    """The same from bytes; `path` tells the folder in which external data must lie."""
    model = model_of(Wire(data))
    companions = _companions(model.external)
    custom = _custom(model)
    tensors = tuple(model.tensors)
    return Facts(
        format="onnx",
        framework="onnx",
        tensors=tensors,
        signatures={"default": Signature(model.inputs, model.outputs)},
        signature_known=True,
        parameters=parameter_count(tensors),
        ops={_operator(*key): count for key, count in sorted(model.ops.items())},
        opset=model.opsets.get(""),
        code=custom,
        precision=precision_of(tensors),
        companions=companions,
        notes=_notes(model),
        risks=(
            *(Risk("custom-op", name, path.name) for name in custom),
            *_missing(model.external, path),
            *author_paths(model.texts, path.name),
        ),
    )


def claims(path: Path, head: bytes) -> bool:  # noqa: ARG001  the protocol's
    """By its suffix: protobuf has no mark of its own, and other models begin the same way."""
    return path.suffix.lower() == ".onnx"


def _companions(external: list[External]) -> tuple[str, ...]:
    """The files that hold external data; raises FormatError where one would lie outside."""
    found: dict[str, None] = {}
    for pointer in external:
        location = pointer.location
        parts = location.split("/")
        if (
            not location
            or location.startswith("/")
            or "\\" in location
            or "\0" in location
            or PureWindowsPath(location).drive
            or ".." in parts
        ):
            raise FormatError(
                f"tensor {pointer.tensor[:80]!r} keeps its data outside the package",
                expected="a file beside the model or below it",
                got=location[:200],
                hint="save the model again with its external data in the same folder",
            )
        found.setdefault("/".join(part for part in parts if part not in {"", "."}))
    return tuple(found)


def _missing(external: list[External], path: Path) -> tuple[Risk, ...]:
    """Companions that are not there; raises where one is too short or leads out of the folder."""
    missing: dict[str, None] = {}
    folder = path.parent.resolve()
    for pointer in external:
        companion = folder / pointer.location
        if not companion.resolve().is_relative_to(folder):
            raise FormatError(
                "external data is a link out of the package's folder", got=pointer.location
            )
        if not companion.is_file():
            missing.setdefault(pointer.location)
        elif companion.stat().st_size < pointer.offset + pointer.length:
            raise FormatError(
                f"the external data of tensor {pointer.tensor[:80]!r} is cut off",
                where=pointer.location,
                expected=f"{pointer.offset + pointer.length} bytes or more",
                got=f"{companion.stat().st_size} bytes",
            )
    return tuple(Risk("external-data", f"{name} is missing", path.name) for name in missing)


def _custom(model: Model) -> tuple[str, ...]:
    """Operators that neither ONNX, nor its runtime, nor the model itself defines."""
    known = (*STANDARD_DOMAINS, *RUNTIME_DOMAINS)
    return tuple(
        _operator(domain, name)
        for domain, name in sorted(model.ops)
        if domain not in known and (domain, name) not in model.functions
    )


def _operator(domain: str, name: str) -> str:
    return f"{domain}.{name}" if domain else name


def _notes(model: Model) -> tuple[str, ...]:
    notes = [f"IR version {model.ir_version}"]
    if model.producer:
        notes.append(f"producer: {model.producer}")
    notes += [
        f"operator set {domain}: {version}"
        for domain, version in sorted(model.opsets.items())
        if domain
    ]
    if any(domain in RUNTIME_DOMAINS for domain, _ in model.ops):
        notes.append("uses operators that only onnxruntime has")
    return tuple(notes)


FORMAT = Format(
    name="onnx",
    framework="onnx",
    suffixes=(".onnx",),
    contexts=("python", "other-framework"),
    advantages="Can be used by different ML frameworks.",
    disadvantages="May not support specialized usage context.",
    claims=claims,
    read=read,
)
