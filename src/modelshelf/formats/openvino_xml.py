"""The XML of an OpenVINO model as plain values: layers, their ports, edges and remarks.

Source: the "IR format" pages of OpenVINO's documentation, `src/core/xml_util` there. A stream of
elements, bounded in bytes, number and depth; a document that declares entities is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from modelshelf.errors import FormatError

XML_BYTES = 64 * 1024 * 1024
"""The largest document; a language model's has some 10 MB."""
ELEMENT_COUNT = 500_000
"""Some twenty a layer; language models have some 10,000 layers."""
DEPTH = 256
CHUNK_BYTES = 65_536
RANK = 64
TEXT_CHARACTERS = 4096
"""How much of each remark is kept."""
TEXT_COUNT = 10_000


@dataclass
class Port:
    """One input or output of a layer; a size of -1 is not known."""

    precision: str = ""
    names: str = ""
    sizes: list[int] = field(default_factory=list)


@dataclass
class Layer:
    """One operation; `data` are its attributes."""

    number: str
    name: str
    type: str
    opset: str
    output_names: str = ""
    data: dict[str, str] = field(default_factory=dict)
    inputs: list[Port] = field(default_factory=list)
    outputs: dict[str, Port] = field(default_factory=dict)


@dataclass
class Document:
    """What one pass gathers: layers of the model itself, and constants of nested bodies too.

    `edges` tell from which layer and port each port of a layer comes. `remarks` are the name and
    value of everything in `rt_info`.
    """

    version: int = 0
    name: str = ""
    layers: dict[str, Layer] = field(default_factory=dict)
    constants: list[Layer] = field(default_factory=list)
    operators: Counter[tuple[str, str]] = field(default_factory=Counter)
    edges: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    remarks: list[tuple[str, str]] = field(default_factory=list)


def document_of(path: Path) -> Document:
    """Read the document.

    Raises:
        FormatError: it is no XML, no OpenVINO model, too large, or declares entities.

    """
    if path.stat().st_size > XML_BYTES:
        raise FormatError("the XML is larger than any real model's", expected=f"{XML_BYTES} bytes")
    gatherer = _Gatherer()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                gatherer.parser.Parse(chunk, False)
            gatherer.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise FormatError("the file is no XML", got=str(error)[:200]) from error
    document = gatherer.document
    if not document.version:
        raise FormatError("the XML holds no OpenVINO model", expected="an element <net>")
    return document


class _Gatherer:
    """The handlers of the parser, and where it is: `path` are the open elements."""

    def __init__(self) -> None:
        self.document = Document()
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse
        self._path: list[str] = []
        self._layers: list[Layer] = []
        self._port = Port()
        self._size = ""
        self._left = ELEMENT_COUNT

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        self._left -= 1
        if self._left < 0 or len(self._path) >= DEPTH:
            raise FormatError(
                "the XML has more elements or levels than any real model's",
                expected=f"at most {ELEMENT_COUNT} elements, {DEPTH} levels",
            )
        if not self._path and element != "net":
            raise FormatError("the XML holds no OpenVINO model", expected="net", got=element[:80])
        parent = self._path[-1] if self._path else ""
        self._path.append(element)
        self._element(element, parent, attributes)

    def _element(self, element: str, parent: str, attributes: dict[str, str]) -> None:
        match element:
            case "net" if not parent:
                self.document.version = _number(attributes.get("version", ""))
                self.document.name = attributes.get("name", "")[:TEXT_CHARACTERS]
            case "layer":
                self._layers.append(_layer(attributes))
            case "data" if parent == "layer" and self._layers:
                self._layers[-1].data = attributes
            case "port" if parent in {"input", "output"} and self._layers:
                self._open_port(parent, attributes)
            case "dim":
                self._size = ""
            case "edge" if not self._layers:
                to, origin = _ends(attributes)
                self.document.edges[to] = origin
            case _ if "value" in attributes and "rt_info" in self._path:
                self._remark(attributes.get("name", element), attributes["value"])

    def _open_port(self, side: str, attributes: dict[str, str]) -> None:
        self._port = Port(attributes.get("precision", ""), attributes.get("names", ""))
        layer = self._layers[-1]
        if side == "input":
            layer.inputs.append(self._port)
        else:
            layer.outputs[attributes.get("id", "")] = self._port

    def _end(self, element: str) -> None:
        self._path.pop()
        if element == "dim" and self._path and self._path[-1] == "port":
            self._port.sizes.append(_number(self._size))
            if len(self._port.sizes) > RANK:
                raise FormatError("a shape has too many dimensions", expected=f"at most {RANK}")
        elif element == "layer" and self._layers:
            self._close(self._layers.pop())

    def _close(self, layer: Layer) -> None:
        if layer.type == "Const":
            self.document.constants.append(layer)
        elif layer.type not in {"Parameter", "Result"}:
            self.document.operators[layer.opset, layer.type] += 1
        if self._layers:
            return
        if layer.number in self.document.layers:
            raise FormatError(f"two layers have the number {layer.number[:40]!r}")
        self.document.layers[layer.number] = layer

    def _text(self, text: str) -> None:
        if self._path and self._path[-1] == "dim":
            self._size = (self._size + text)[:40]

    def _remark(self, name: str, value: str) -> None:
        if len(self.document.remarks) < TEXT_COUNT:
            self.document.remarks.append((name[:200], value[:TEXT_CHARACTERS]))


def _refuse(*_: object) -> NoReturn:
    raise FormatError(
        "the XML declares a document type or entities",
        expected="elements only, as OpenVINO writes them",
        hint="save the model again with openvino.save_model",
    )


def _layer(attributes: dict[str, str]) -> Layer:
    return Layer(
        number=attributes.get("id", ""),
        name=attributes.get("name", ""),
        type=attributes.get("type", ""),
        opset=attributes.get("version", ""),
        output_names=attributes.get("output_names", ""),
    )


def _ends(attributes: dict[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    to = attributes.get("to-layer", ""), attributes.get("to-port", "")
    return to, (attributes.get("from-layer", ""), attributes.get("from-port", ""))


def _number(text: str) -> int:
    """A size or a version; -1 where it is none that could be."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else -1
