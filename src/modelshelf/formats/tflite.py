"""TensorFlow Lite (LiteRT): a graph with its weights in one FlatBuffer, for phones and small devices.

Source: version 3 of `schema.fbs`; files that a model brings along stand in a zip behind it, as
`metadata_schema.fbs` of TensorFlow Lite Support has it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.companion import absent, stays
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    TensorInfo,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.spans import Span, by_file
from modelshelf.formats.tflite_metadata import attached, described, runtime_version
from modelshelf.formats.tflite_model import IDENTIFIER, Model, Outside, Value, dtype_of, model_of
from modelshelf.formats.tflite_operators import FLEX, operator_risks, packages
from modelshelf.package.signature import Signature, Tensor, element_count

NOTE_COUNT = 50
"""How many subgraphs, and inputs and outputs that are quantized, are told."""
VALUE_BITS = 80
UNSAID = (
    "The version of TensorFlow that trained the model is not in the file.",
    "Weights are constants like any other: sizes and axes count as parameters too.",
)
NO_RUNTIME = "The version of the runtime that it needs is not in the file."
NO_RANK = (
    "Of a tensor without sizes it may say neither that it is one value nor how many axes it has."
)
NO_SIGNATURE = "It names no signature: inputs and outputs have the names of their tensors."


def read(path: Path) -> Facts:
    """What a `.tflite` says; the file is mapped, and only its tables touched.

    The version of the framework is the oldest one that can run the model.
    """
    if path.stat().st_size < 8:
        raise FormatError("the file ends before its first table", hint="download the file again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        model = model_of(data)
        said = (*described(data, model), *attached(file, len(data)))
        return _facts(path, model, said, runtime_version(data, model))


def claims(path: Path, head: bytes) -> bool:
    """By the identifier behind its first offset, or its suffix."""
    return head[4:8] == IDENTIFIER or path.suffix.lower() == ".tflite"


def _facts(path: Path, model: Model, said: tuple[str, ...], version: str | None) -> Facts:
    stored = _stored(model)
    tensors = tuple(stored.values())
    customs = sorted({use.name for use in model.customs})
    return Facts(
        format="tflite",
        framework="tensorflow",
        framework_version=version,
        tensors=tensors,
        signatures=_signatures(model),
        signature_known=True,
        parameters=parameter_count(_numbers(_once(stored))),
        ops=dict(sorted(model.ops.items())),
        code=tuple(customs),
        precision=precision_of(_numbers(_once(stored))),
        companions=tuple(dict.fromkeys(_plain(each.file) for each in model.outside.values())),
        python_packages=tuple(sorted(packages(customs))),
        unsaid=_unsaid(model, version),
        notes=(*_notes(model, customs), *said),
        risks=(
            *operator_risks(model.builtins, model.customs, path.name),
            *_missing(model.outside.values(), path),
            *author_paths([*said, *(each.name for each in tensors)], path.name),
        ),
        spans=by_file(_spans(model, stored, path.name)),
    )


Stored = dict[tuple[str, int, int], TensorInfo]
"""Tensors with values by name, number of their buffer, number of their values outside."""


def _stored(model: Model) -> Stored:
    """Tensors that have values in the file; those of several graphs that are the same once."""
    found: Stored = {}
    taken: set[str] = set()
    for number, graph in enumerate(model.subgraphs):
        for index, value in enumerate(graph.values):
            key = (value.name, value.buffer, value.external)
            if key in found or not _has_values(model, value):
                continue
            free = value.name and value.name not in taken
            name = value.name if free else f"{value.name}#{number}.{index}"
            taken.add(name)
            found[key] = _info(model, value, name)
    return found


def _has_values(model: Model, value: Value) -> bool:
    if value.external:
        if value.external not in model.outside:
            raise FormatError(f"the values of tensor {value.name[:80]!r} are nowhere")
        return True
    if value.buffer >= len(model.buffers):
        raise FormatError(
            f"tensor {value.name[:80]!r} is in a buffer that is not there",
            expected=f"one of {len(model.buffers)}",
            got=value.buffer,
        )
    begin, end = model.buffers[value.buffer]
    return end > begin


def _info(model: Model, value: Value, name: str) -> TensorInfo:
    """The tensor; a runtime refuses one whose bytes are not what its dtype and shape ask for."""
    dtype, bits = dtype_of(value.type)
    if sum(size.bit_length() for size in value.shape) > VALUE_BITS and 0 not in value.shape:
        raise FormatError(
            f"tensor {name[:80]!r} has an impossible shape", got=str(value.shape)[:80]
        )
    begin, end = model.buffers[value.buffer] if not value.external else (0, 0)
    needed = -(-element_count(value.shape) * bits // 8)
    if bits and not value.external and not value.is_sparse and end - begin != needed:
        raise FormatError(
            f"tensor {name[:80]!r} has another size than its dtype and shape ask for",
            expected=f"{element_count(value.shape)} values of {bits} bits",
            got=f"{end - begin} bytes",
        )
    return TensorInfo(name, dtype, value.shape)


def _once(stored: Stored) -> list[TensorInfo]:
    """One tensor of each place: converters give equal bytes one buffer."""
    return list({key[1:]: tensor for key, tensor in reversed(stored.items())}.values())


def _numbers(tensors: Iterable[TensorInfo]) -> list[TensorInfo]:
    return [each for each in tensors if each.dtype not in {"string", "resource", "variant"}]


def _signatures(model: Model) -> dict[str, Signature]:
    """Those with names for callers; else the first graph, its tensors by their own names."""
    if not model.signatures:
        first = model.subgraphs[0]
        sides = ({_own_name(first.values, n): n for n in side}
                 for side in (first.inputs, first.outputs))  # fmt: skip
        return {"default": _signature(first.values, *sides)}
    found: dict[str, Signature] = {}
    for each in model.signatures:
        if each.key in found:
            raise FormatError(f"two signatures have the name {each.key[:80]!r}")
        found[each.key] = _signature(
            model.subgraphs[each.subgraph].values, each.inputs, each.outputs
        )
    return found


def _own_name(values: list[Value], index: int) -> str:
    name = values[index].name
    return name or f"tensor {index}"


def _signature(values: list[Value], inputs: dict[str, int], outputs: dict[str, int]) -> Signature:
    first, second = (
        {name: _tensor(values[index]) for name, index in side.items()} for side in (inputs, outputs)
    )
    return Signature(first, second)


def _tensor(value: Value) -> Tensor:
    return Tensor(dtype_of(value.type)[0], value.open_shape)


def _unsaid(model: Model, version: str | None) -> tuple[str, ...]:
    vague = any(
        value.open_shape is None
        for graph in model.subgraphs
        for index in (*graph.inputs, *graph.outputs)
        for value in [graph.values[index]]
    )
    return (
        *UNSAID,
        *([] if version else [NO_RUNTIME]),
        *([] if model.signatures else [NO_SIGNATURE]),
        *([NO_RANK] if vague else []),
    )


def _notes(model: Model, customs: list[str]) -> list[str]:
    values = [value for graph in model.subgraphs for value in graph.values]
    quantized = [value for value in values if value.scales]
    several = sum(value.scales > 1 for value in quantized)
    sparse = sum(value.is_sparse for value in values)
    notes = []
    if quantized:
        notes.append(f"{len(quantized)} tensors are quantized, {several} of them by channel")
    if sparse:
        notes.append(f"{sparse} tensors are sparse")
    if flex := [name.removeprefix(FLEX) for name in customs if name.startswith(FLEX)]:
        notes.append(f"needs TensorFlow's own operators (select TF ops): {', '.join(flex)}"[:400])
    return [*notes, *_quantized_sides(model), *_other_graphs(model)]


def _quantized_sides(model: Model) -> list[str]:
    """How callers must scale what they give, and what they get."""
    sides = [
        (f"{signature.key}: {side} {name}", model.subgraphs[signature.subgraph].values[index])
        for signature in model.signatures
        for side, named in (("input", signature.inputs), ("output", signature.outputs))
        for name, index in named.items()
    ] or [
        (f"{side} {value.name}", value)
        for side, indices in (
            ("input", model.subgraphs[0].inputs),
            ("output", model.subgraphs[0].outputs),
        )
        for value in [model.subgraphs[0].values[index] for index in indices]
    ]
    told = [f"{where[:200]} has {value.quantization}" for where, value in sides if value.scales]
    return told[:NOTE_COUNT]


def _other_graphs(model: Model) -> list[str]:
    """Graphs that no signature names: bodies of loops and branches."""
    named = {each.subgraph for each in model.signatures} or {0}
    others = [(n, each) for n, each in enumerate(model.subgraphs) if n not in named]
    notes = []
    for number, graph in others[:NOTE_COUNT]:
        sides = (", ".join(str(_tensor(graph.values[n])) for n in side[:20])
                 for side in (graph.inputs, graph.outputs))  # fmt: skip
        notes.append(f"graph {number} {graph.name[:80]}: ({next(sides)}) -> ({next(sides)})")
    return notes


def _plain(location: str) -> str:
    """The way to a companion as the package writes it."""
    return "/".join(part for part in location.split("/") if part not in {"", "."})


def _missing(outside: Iterable[Outside], path: Path) -> list[Risk]:
    """Companions that are not there; raises where one is too short or leads out of the folder."""
    needed: dict[str, int] = {}
    for each in outside:
        if not stays(each.file):
            raise FormatError("values lie out of the package's folder", got=each.file[:200])
        needed[each.file] = max(each.offset + each.length, needed.get(each.file, 0))
    gone = absent(needed, path.parent)
    return [Risk("external-data", f"{name[:200]} is missing", path.name) for name in gone]


def _spans(model: Model, stored: Stored, file: str) -> Iterator[tuple[str, Span]]:
    """Where values lie, in this file and in its companions."""
    for (_, buffer, external), info in stored.items():
        if external:
            place = model.outside[external]
            begin, end = place.offset, place.offset + place.length
            yield _plain(place.file), Span(begin, end, info.dtype, info.name)
        else:
            yield file, Span(*model.buffers[buffer], info.dtype, info.name)


FORMAT = Format(
    name="tflite",
    framework="tensorflow",
    suffixes=(".tflite",),
    contexts=("edge",),
    advantages="Can be optimized in size.",
    disadvantages="Optimization may reduce performance.",
    claims=claims,
    read=read,
)
