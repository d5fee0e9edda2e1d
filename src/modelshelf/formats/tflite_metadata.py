"""What a TensorFlow Lite model says of itself beside its graph, and the files behind it.

Sources: `metadata_schema.fbs` of TensorFlow Lite Support, `conversion_metadata.fbs` of TensorFlow
Lite's tools. All of it is prose for people; nothing is taken from it but notes.
"""

from __future__ import annotations

from typing import BinaryIO

from modelshelf.errors import FormatError
from modelshelf.formats.flatbuffer import FlatBuffer, Memory, Table
from modelshelf.formats.tflite_model import Model, content
from modelshelf.formats.zip_members import Members, hidden_archive

METADATA_BYTES = 4 * 1024 * 1024
TEXT_BYTES = 200
FILE_COUNT = 50
"""How many files behind the model are named."""
IDENTIFIER = b"M001"
RUNTIME, CONVERSION, SUPPORT = "min_runtime_version", "CONVERSION_METADATA", "TFLITE_METADATA"

# What a ModelMetadata and a SubGraphMetadata say, by the number of the field.
_MODEL = {0: "name", 1: "description", 2: "version", 4: "author", 5: "license"}
_SIDES = {2: "input", 3: "output"}


def runtime_version(data: Memory, model: Model) -> str | None:
    """The oldest runtime that has all operators; converters leave it blank where they cannot tell."""
    raw = _entry(data, model, RUNTIME)
    text = raw.rstrip(b"\0").decode("utf-8", "replace").strip() if raw else ""
    return text[:TEXT_BYTES] or None


def described(data: Memory, model: Model) -> tuple[str, ...]:
    """What converter and publisher wrote about the model, a note each."""
    found = [f"description: {model.description[:TEXT_BYTES]}"] if model.description else []
    if version := runtime_version(data, model):
        found.append(f"needs a runtime of version {version} or newer")
    try:
        found += [*_converted(data, model), *_supported(data, model)]
    except FormatError as error:
        found.append(f"its metadata cannot be read: {error.message}"[:TEXT_BYTES])
    return tuple(found)


def attached(file: BinaryIO, size: int) -> tuple[str, ...]:
    """The files in an archive behind the model: labels, vocabularies; a note each."""
    if not hidden_archive(file, size):
        return ()
    names = sorted(Members(file, size, is_behind=True).infos)
    notes = [f"file behind the model: {name[:TEXT_BYTES]}" for name in names[:FILE_COUNT]]
    more = len(names) - len(notes)
    return (*notes, *([f"and {more} more files"] if more else []))


def _entry(data: Memory, model: Model, name: str) -> bytes | None:
    number = model.metadata.get(name)
    return None if number is None else content(data, model, number, METADATA_BYTES)


def _converted(data: Memory, model: Model) -> list[str]:
    raw = _entry(data, model, CONVERSION)
    environment = FlatBuffer(raw).root().table(0) if raw else None
    version = environment.text(0, TEXT_BYTES) if environment else ""
    return [f"converted by TensorFlow {version}"] if version else []


def _supported(data: Memory, model: Model) -> list[str]:
    raw = _entry(data, model, SUPPORT)
    if not raw:
        return []
    buffer = FlatBuffer(raw)
    if buffer.identifier != IDENTIFIER:
        return [f"its metadata are of an unknown kind: {buffer.identifier!r}"]
    root = buffer.root()
    found = _texts(root, _MODEL, "")
    for graph in list(root.tables(3))[:1]:
        for field, side in _SIDES.items():
            for place, each in enumerate(graph.tables(field)):
                found += _texts(each, {0: "name", 1: "description"}, f"{side} {place} ")
    return found[:FILE_COUNT]


def _texts(table: Table, names: dict[int, str], prefix: str) -> list[str]:
    texts = {name: table.text(field, TEXT_BYTES) for field, name in names.items()}
    return [f"{prefix}{name}: {text}" for name, text in texts.items() if text]
