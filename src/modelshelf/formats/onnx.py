"""ONNX: a graph of operators with typed inputs and outputs, read from its protobuf headers."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.companion import absent, stays
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.onnx_graph import Model, model_of
from modelshelf.formats.onnx_tensor import External
from modelshelf.formats.protobuf import Bytes, Wire
from modelshelf.formats.spans import Span, by_file
from modelshelf.package.signature import Signature

STANDARD_DOMAINS = ("", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training")
METADATA_COUNT = 50
"""How many entries of the metadata are told."""
RUNTIME_DOMAINS = ("com.microsoft", "com.ms.internal.nhwc", "com.microsoft.nchwc")
"""Operators that onnxruntime itself brings: no library of the publisher is needed."""


def read(path: Path) -> Facts:
    """What a `.onnx` file says; files with external data are not opened, only looked for."""
    if path.suffix.lower() == ".ort":
        raise FormatError(
            "the file is in onnxruntime's own format, which is not read here",
            expected="an ONNX model",
            hint="publish the .onnx file that it was made of",
        )
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
        parameters=parameter_count(tensors) - _twice(model.external),
        ops={_operator(*key): count for key, count in sorted(model.ops.items())},
        opset=model.opsets.get(""),
        code=custom,
        precision=precision_of(tensors),
        companions=companions,
        unsaid=_unsaid(model),
        notes=_notes(model),
        risks=(
            *(Risk("custom-op", name, path.name) for name in custom),
            *_missing(model.external, path),
            *author_paths(model.texts, path.name),
        ),
        spans=by_file(_spans(model, path.name)),
    )


def claims(path: Path, head: bytes) -> bool:  # noqa: ARG001  the protocol's
    """By its suffix: protobuf has no mark of its own, and other models begin the same way."""
    return path.suffix.lower() in {".onnx", ".ort"}


def _companions(external: list[External]) -> tuple[str, ...]:
    """The files that hold external data; raises FormatError where one would lie outside."""
    found: dict[str, None] = {}
    for pointer in external:
        location = pointer.location
        if not stays(location):
            raise FormatError(
                f"tensor {pointer.tensor[:80]!r} keeps its data outside the package",
                expected="a file beside the model or below it",
                got=location[:200],
                hint="save the model again with its external data in the same folder",
            )
        found.setdefault(_plain(location))
    return tuple(found)


def _plain(location: str) -> str:
    """The way to a companion as the package writes it."""
    return "/".join(part for part in location.split("/") if part not in {"", "."})


def _twice(external: list[External]) -> int:
    """Values of initializers that lie where another's do: tied weights."""
    seen: set[tuple[str, int, int]] = set()
    found = 0
    for each in external:
        place = (_plain(each.location), each.offset, each.length)
        found += each.values if place in seen else 0
        if each.values:
            seen.add(place)
    return found


def _spans(model: Model, file: str) -> Iterator[tuple[str, Span]]:
    """Where raw values lie, in this file and in its companions."""
    yield from ((file, span) for span in model.spans)
    for each in model.external:
        span = Span(each.offset, each.offset + each.length, each.dtype, each.tensor)
        yield _plain(each.location), span


def _missing(external: list[External], path: Path) -> tuple[Risk, ...]:
    """Companions that are not there; raises where one is too short or leads out of the folder."""
    needed: dict[str, int] = {}
    for pointer in external:
        end = pointer.offset + pointer.length
        needed[pointer.location] = max(end, needed.get(pointer.location, 0))
    gone = absent(needed, path.parent)
    return tuple(Risk("external-data", f"{name} is missing", path.name) for name in gone)


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
    if model.functions:
        notes.append(f"{len(model.functions)} functions of its own")
    if model.constants:
        notes.append(f"{model.constants} values in constants of nodes, not among the parameters")
    if model.trains:
        notes.append("with graphs for training")
    notes += [
        f"{key[:80]}: {text[:200]}" for key, text in list(model.metadata.items())[:METADATA_COUNT]
    ]
    if any(domain in RUNTIME_DOMAINS for domain, _ in model.ops):
        notes.append("uses operators that only onnxruntime has")
    return tuple(notes)


def _unsaid(model: Model) -> tuple[str, ...]:
    found = []
    sides = {**model.inputs, **model.outputs}
    vague = [name for name, tensor in sides.items() if tensor.shape is None]
    if vague:
        found.append(f"The shape of {', '.join(vague[:5])[:200]} is not in the file.")
    if not model.producer:
        found.append("What exported the model is not in the file.")
    return tuple(found)


FORMAT = Format(
    name="onnx",
    framework="onnx",
    suffixes=(".onnx", ".ort"),
    contexts=("python", "other-framework"),
    advantages="Can be used by different ML frameworks.",
    disadvantages="May not support specialized usage context.",
    claims=claims,
    read=read,
)
