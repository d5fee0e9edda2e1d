"""hub.Module of TensorFlow 1: a SavedModel with one graph for each set of tags, and a mark beside it.

Source: `module_def.proto` and `native_module.py` of TensorFlow Hub before its release 0.13.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from modelshelf.errors import FormatError
from modelshelf.formats import tf_savedmodel
from modelshelf.formats.facts import Facts, Format
from modelshelf.formats.protobuf import VARINT, Wire

FILE = "tfhub_module.pb"
MARK_BYTES = 65_536
FORMAT_VERSION = 3
"""The only one that TensorFlow Hub ever wrote for models that others can use."""


def read(path: Path) -> Facts:
    """What a hub.Module says; `path` is its `tfhub_module.pb`, its SavedModel lies beside it."""
    required = _required_features(path)
    model = path.with_name(tf_savedmodel.FILE)
    if not model.is_file():
        raise FormatError(
            "there is no SavedModel beside the mark of a hub.Module",
            where=model.name,
            expected=f"{tf_savedmodel.FILE} in the same folder",
            hint="add the file, or export the module again",
        )
    facts = tf_savedmodel.read(model)
    notes = (f"required feature: {name}" for name in required)
    return msgspec.structs.replace(
        facts,
        format="tf-hub-module",
        companions=(tf_savedmodel.FILE, *facts.companions),
        notes=(*facts.notes, *notes),
    )


def claims(path: Path, head: bytes) -> bool:
    """By its name, and the number of its format at the beginning."""
    return path.name == FILE and head[:1] == b"\x08"


def _required_features(path: Path) -> list[str]:
    """Read the mark, a ModuleDef: the number of its format, and what a reader must understand."""
    with path.open("rb") as file:
        content = file.read(MARK_BYTES)
    wire = Wire(content)
    version = 0
    features = []
    for part in wire.fields(0, len(content)):
        if part.number == 1 and part.wire == VARINT:
            version = part.value
        elif part.number == 2:
            features.append(wire.text(part, 200))
    if version != FORMAT_VERSION:
        raise FormatError(
            "the file is no mark of a hub.Module",
            expected=f"format {FORMAT_VERSION}",
            got=version,
            hint="export the module again",
        )
    return features


FORMAT = Format(
    name="tf-hub-module",
    framework="tensorflow",
    suffixes=(".pb",),
    contexts=("python",),
    advantages="Specified for model sharing on TFHub.",
    disadvantages="Out of date in TensorFlow 2.x era.",
    claims=claims,
    read=read,
    carriers=(FILE,),
)
