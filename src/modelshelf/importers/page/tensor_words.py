"""What words say of a tensor: its type, shape, values and meaning."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.package.signature import DTYPES, Dimension

AXES = 8
"""A shape with more axes is none."""

_DTYPE = re.compile(
    r"(?<![\w.])(?:(?:tf|np|torch|jnp|numpy|tensorflow)\.)?"
    r"(u?int(?:8|16|32|64)|b?float(?:16|32|64)|bool(?:ean)?s?|strings?|fp(?:16|32)|int|float|double|half)\b"
)
_DTYPES = {"fp16": "float16", "fp32": "float32", "int": "int32", "float": "float32", "double": "float64",
           "half": "float16", "bool": "bool", "bools": "bool", "boolean": "bool", "booleans": "bool",
           "string": "string", "strings": "string"}  # fmt: skip
_BRACKETS = re.compile(r"[\[(]([^\[\]()]{0,120})[\])]")
_SHAPE_WORD = re.compile(r"\bshapes?\b|\bof size\b|\bdimensions?\b", re.IGNORECASE)
_RANGE = re.compile(
    r"(?:\branges?(?: of)?|\bbetween|\bscaled (?:in)?to(?: (?:a |the )?range(?: of)?)?|\bvalues? in|\bin the interval"
    r"|\bfloats? in|\bnormali[sz]ed (?:in)?to|\bpixels? in)\s?[`$]?"
    r"[\[(]?\s?(-?\d{1,4}(?:\.\d{0,4})?)\s?(?:,|and|to|-|\.\.)\s?(\+?-?\d{1,4}(?:\.\d{0,4})?)",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"(?<![\w.])(\d{2,4})\s?(?:x|\u00d7|\\times|by)\s?(\d{2,4})(?:\s?(?:x|\u00d7)\s?([134])\b)?(?![\w.]*\w)"
)
_VECTOR = re.compile(r"\b(\d{1,5})[- ]dim(?:ension(?:al|s)?)?\b", re.IGNORECASE)
_RATE = re.compile(r"\b(\d{1,3}(?:\.\d{1,3})?)\s?k(?:Hz|hz|HZ)\b|\b(\d{4,6})\s?Hz\b")
_NAMED = re.compile(r"`?\b([a-z]\w{1,40})`? ?= ?`?(\d{1,7})\b")
_MEANINGS = (
    (
        "class-scores",
        re.compile(r"logits?\b|probabilit|class scores?|predictions?\b", re.IGNORECASE),
    ),
    ("feature-vector", re.compile(r"features?\b|feature[ _-]vectors?", re.IGNORECASE)),
    (
        "embedding",
        re.compile(r"embed|pooled_output|sequence_output|representation", re.IGNORECASE),
    ),
    ("image", re.compile(r"images?\b|pixels?\b|frames?\b|photo", re.IGNORECASE)),
    ("text", re.compile(r"text\b|sentences?\b|strings?\b|words?\b", re.IGNORECASE)),
    ("audio", re.compile(r"audio|waveform|\bwav\b|speech", re.IGNORECASE)),
)


class Size(NamedTuple):
    """Height and width of an image."""

    height: int
    width: int


def dtype_of(text: str) -> str | None:
    """The type that words name (`tf.int32`, `strings`); None where they name none."""
    found = _DTYPE.search(text)
    if not found:
        return None
    word = _DTYPES.get(found[1], found[1])
    return word if word in DTYPES else None


def shape_of(text: str) -> tuple[Dimension, ...] | None:
    """The first shape in brackets: behind the word, where it is there, else anywhere."""
    said = _SHAPE_WORD.search(text)
    for found in _BRACKETS.finditer(text, said.end() if said else 0):
        shape = axes(found[1]) if said or " " not in found[1].replace(", ", ",") else None
        if shape is not None and (said or len(shape) > 1 or found[1].rstrip().endswith(",")):
            return shape
    return None


def axes(text: str) -> tuple[Dimension, ...] | None:
    """`batch_size, 224, 224, 3` or `3 x H x W` as a shape; None for other text."""
    text = text.strip().strip("`").replace("\\", "")
    if not text:
        return ()
    parts = re.split(r"\s*,\s*|\s+x\s+|\s*\u00d7\s*", text.strip(", "))
    if len(parts) > AXES:
        return None
    sizes = [_axis(part.strip().strip("`*")) for part in parts]
    return None if False in sizes else tuple(size for size in sizes if size is not False)


def _axis(word: str) -> Dimension | bool:
    """One axis; False where it is none."""
    if word.isascii() and word.isdigit():
        return int(word) if len(word) < 9 else False
    if word in ("None", "?", "-1", "null"):
        return None
    name = re.sub(r"[ -]+", "_", word)
    return name if re.fullmatch(r"[A-Za-z]\w{0,40}", name) and name.count("_") < 5 else False


def range_of(text: str) -> tuple[float, float] | None:
    """The values that words say a tensor has: `in the range [0, 1]`, `between -1 and 1`."""
    found = _RANGE.search(text)
    if not found:
        return None
    low, high = float(found[1]), float(found[2].lstrip("+"))
    return (low, high) if low < high else None


def size_of(text: str) -> Size | None:
    """Height and width: `224x224`, `height x width = 224 x 224 pixels`."""
    found = _SIZE.search(text)
    return Size(int(found[1]), int(found[2])) if found else None


def vector_of(text: str) -> int | None:
    """How long a vector is: `512 dimensional`."""
    found = _VECTOR.search(text)
    return int(found[1]) if found else None


def rate_of(text: str) -> int | None:
    """Samples of a sound in a second: `16 kHz`."""
    found = _RATE.search(text)
    if not found:
        return None
    return int(float(found[1]) * 1000) if found[1] else int(found[2])


def numbers_named(text: str) -> dict[str, int]:
    """Sizes that have a name: `num_classes` = 1001."""
    return {found[1]: int(found[2]) for found in _NAMED.finditer(text)} if "=" in text else {}


def meaning_of(text: str) -> str | None:
    """What a tensor is, by its name or what is said of it."""
    return next((word for word, form in _MEANINGS if form.search(text)), None)
