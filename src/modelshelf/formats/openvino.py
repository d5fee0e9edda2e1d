"""OpenVINO's intermediate representation: the graph as XML, the values in a `.bin` beside it.

Versions 10 and 11 are read. Source: the "IR format" and "operation sets" pages of OpenVINO's
documentation.
"""

from __future__ import annotations

import re
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.companion import absent
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    TensorInfo,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.openvino_xml import Document, Layer, Port, document_of
from modelshelf.formats.spans import Span, disjoint
from modelshelf.package.signature import Dimension, Interval, Signature, Tensor, element_count

# element type, as attributes and as ports write it: (name in a record, bits of one value)
TYPES = {
    "f64": ("float64", 64), "f32": ("float32", 32), "f16": ("float16", 16),
    "bf16": ("bfloat16", 16), "f8e4m3": ("float8_e4m3fn", 8), "f8e5m2": ("float8_e5m2", 8),
    "f8e8m0": ("float8_e8m0fnu", 8), "f4e2m1": ("float4", 4), "nf4": ("nf4", 4),
    "i64": ("int64", 64), "i32": ("int32", 32), "i16": ("int16", 16), "i8": ("int8", 8),
    "i4": ("int4", 4), "u64": ("uint64", 64), "u32": ("uint32", 32), "u16": ("uint16", 16),
    "u8": ("uint8", 8), "u6": ("uint6", 6), "u4": ("uint4", 4), "u3": ("uint3", 3),
    "u2": ("uint2", 2), "u1": ("uint1", 1), "boolean": ("bool", 8), "string": ("string", 0),
}  # fmt: skip
_PORT_TYPES = {"bool": "boolean", "fp64": "f64", "fp32": "f32", "fp16": "f16", "bin": "u1"}
VERSIONS = (10, 11)
WRITERS = ("OpenVINO Runtime", "Runtime_version", "MO_version")
"""Remarks that tell the version that wrote the file, newest name first."""

_OPSET = re.compile(r"opset(\d{1,4})")
_BOUNDS = re.compile(r"(\d{0,18})\.\.(\d{0,18})")
_NAMES = re.compile(r"(?:[^,\\]|\\.)+")


def read(path: Path) -> Facts:
    """What the `.xml` says; the `.bin` beside it is only measured."""
    document = document_of(path)
    if document.version not in VERSIONS:
        raise FormatError(
            "the model is of a version that is not read here",
            expected="10 or 11",
            got=document.version,
            hint="convert the original model again with a current OpenVINO",
        )
    values = path.with_suffix(".bin").name
    tensors, spans = _constants(document)
    missing = _measured(path, values, spans) if spans else []
    custom = _custom(document)
    return Facts(
        format="openvino",
        framework="openvino",
        framework_version=_version(document),
        tensors=tensors,
        signatures={"default": _signature(document)},
        signature_known=True,
        parameters=_parameters(tensors, spans),
        ops=_operators(document),
        opset=_opset(document),
        code=custom,
        precision=precision_of(tensors),
        companions=(values,) if spans else (),
        unsaid=() if _version(document) else ("The version that wrote it is not in the file.",),
        notes=(f"IR version {document.version}", f"model {document.name[:200]}"),
        risks=(
            *(Risk("custom-op", name, path.name) for name in custom),
            *missing,
            *author_paths((value for _, value in document.remarks), path.name),
        ),
        spans={values: told} if (told := disjoint(spans)) else {},
    )


def claims(path: Path, head: bytes) -> bool:
    """An XML file whose outermost element is `net`."""
    return path.suffix.lower() == ".xml" and re.search(rb"<net[\s>]", head) is not None


def _version(document: Document) -> str | None:
    remarks = dict(document.remarks)
    return next((remarks[name] for name in WRITERS if name in remarks), None)


def _constants(document: Document) -> tuple[tuple[TensorInfo, ...], list[Span]]:
    """The stored tensors, and from where to where each lies in the `.bin`."""
    tensors = []
    spans = []
    for layer in document.constants:
        dtype, bits = _type(layer, layer.data.get("element_type", ""))
        shape = tuple(_size(layer, text) for text in _split(layer.data.get("shape", "")))
        offset, size = (_size(layer, layer.data.get(key, "")) for key in ("offset", "size"))
        if bits and -(-element_count(shape) * bits // 8) != size:
            raise FormatError(
                f"constant {layer.name[:80]!r} has another size than its type and shape ask for",
                expected=f"{element_count(shape)} values of {bits} bits",
                got=f"{size} bytes",
            )
        tensors.append(TensorInfo(layer.name, dtype, shape))
        spans.append(Span(offset, offset + size, dtype, layer.name))
    return tuple(tensors), spans


def _parameters(tensors: tuple[TensorInfo, ...], spans: list[Span]) -> int:
    """Values of all constants; those that lie at one place count once."""
    distinct = {span[:3]: each for span, each in zip(spans, tensors, strict=True)}
    return parameter_count(distinct.values())


def _measured(path: Path, values: str, spans: list[Span]) -> list[Risk]:
    """The `.bin` must be there, beside the model and long enough."""
    needed = max(span.stop for span in spans)
    gone = absent({path.with_suffix(".bin").name: needed}, path.parent)
    return [Risk("external-data", f"{values} is missing", path.name)] if gone else []


def _signature(document: Document) -> Signature:
    symbols: dict[str, Interval] = {}
    inputs = {}
    outputs = {}
    for layer in document.layers.values():
        if layer.type == "Parameter":
            port = next(iter(layer.outputs.values()), Port())
            name = _named(port.names) or layer.name
            shape = _partial(layer, name, symbols)
            inputs[name] = Tensor(_type(layer, layer.data.get("element_type", ""))[0], shape)
        elif layer.type == "Result":
            port = layer.inputs[0] if layer.inputs else Port()
            sizes = tuple(None if size < 0 else size for size in port.sizes)
            outputs[_output_name(layer, document)] = Tensor(_type(layer, port.precision)[0], sizes)
    return Signature(inputs, outputs, symbols=symbols)


def _output_name(layer: Layer, document: Document) -> str:
    """A result's own name, else that of what it shows, else that layer's."""
    origins = [document.edges.get((layer.number, port)) for port in ("0", "1")]
    number, port = next((origin for origin in origins if origin), ("", ""))
    source = document.layers.get(number)
    shown = source.outputs.get(port) if source else None
    named = _named(layer.output_names) or (_named(shown.names) if shown else "")
    return named or (source.name if source else layer.name)


def _named(names: str) -> str:
    """Of the names of a port, the one that OpenVINO gives when asked for any: the first by letter."""
    found = [match.group().replace("\\,", ",") for match in _NAMES.finditer(names)]
    return min(found, default="")


def _partial(layer: Layer, name: str, symbols: dict[str, Interval]) -> tuple[Dimension, ...] | None:
    """An input's shape: `1..8,?,4`; each size that varies is a symbol of its own."""
    text = layer.data.get("shape", "")
    if text.strip() == "...":
        return None
    shape: list[Dimension] = []
    for axis, part in enumerate(_split(text)):
        bounds = _BOUNDS.fullmatch(part)
        if part in {"?", "-1"} or bounds:
            symbol = f"{name}.{axis}"
            shape.append(symbol)
            if bounds:
                low, high = bounds.groups()
                symbols[symbol] = Interval(int(low or 0), int(high) if high else None)
        else:
            shape.append(_size(layer, part))
    return tuple(shape)


def _split(shape: str) -> list[str]:
    parts = shape.strip("[] ").split(",") if shape.strip("[] ") else []
    if len(parts) > 64:
        raise FormatError("a shape has too many dimensions", expected="at most 64")
    return [part.strip() for part in parts]


def _size(layer: Layer, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise FormatError(
            f"layer {layer.name[:80]!r} has an impossible number", expected="a size", got=text[:40]
        )
    return int(text)


def _type(layer: Layer, text: str) -> tuple[str, int]:
    word = text.lower()
    word = _PORT_TYPES.get(word, word)
    if word in {"dynamic", "undefined", "unspecified"}:
        return "unknown", 0
    if word not in TYPES:
        raise FormatError(f"layer {layer.name[:80]!r} is of an unknown type", got=text[:40])
    return TYPES[word]


def _operators(document: Document) -> dict[str, int]:
    found: dict[str, int] = {}
    for (opset, name), count in sorted(document.operators.items()):
        key = name if _OPSET.fullmatch(opset) else f"{opset}.{name}"
        found[key] = found.get(key, 0) + count
    return dict(sorted(found.items()))


def _custom(document: Document) -> tuple[str, ...]:
    """Operators of no operation set of OpenVINO's: an extension library defines them."""
    return tuple(
        f"{opset}.{name}"[:200]
        for opset, name in sorted(document.operators)
        if not _OPSET.fullmatch(opset)
    )


def _opset(document: Document) -> int | None:
    """The newest operation set that a layer comes from."""
    numbers = (_OPSET.fullmatch(opset) for opset, _ in document.operators)
    return max((int(match.group(1)) for match in numbers if match), default=None)


FORMAT = Format(
    name="openvino",
    framework="openvino",
    suffixes=(".xml",),
    contexts=("python", "edge", "other-language"),
    advantages="Carries graph, signature and partial shapes; made for Intel's hardware.",
    disadvantages="Two files that belong together; only OpenVINO runs it.",
    claims=claims,
    read=read,
)
