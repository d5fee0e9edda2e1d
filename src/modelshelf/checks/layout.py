"""Where tensors lie in the files of a release, and where the store may cut those files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelshelf.formats import Facts
from modelshelf.formats.gguf_header import TYPES
from modelshelf.formats.spans import Span, by_file
from modelshelf.store.recipe import Cut

WIDEST = 255
"""A stored segment has one byte for the width."""

# dtype: (bytes of one value, whether its sign is the highest bit and its exponent follows)
_NUMBERS = {
    "bool": (1, False), "int8": (1, False), "uint8": (1, False), "int16": (2, False),
    "uint16": (2, False), "int32": (4, False), "uint32": (4, False), "int64": (8, False),
    "uint64": (8, False), "qint8": (1, False), "quint8": (1, False), "qint16": (2, False),
    "quint16": (2, False), "qint32": (4, False), "float8_e4m3fn": (1, True),
    "float8_e4m3fnuz": (1, True), "float8_e4m3b11fnuz": (1, True), "float8_e5m2": (1, True),
    "float8_e5m2fnuz": (1, True), "float8_e8m0fnu": (1, False), "float16": (2, True),
    "bfloat16": (2, True), "float32": (4, True), "float64": (8, True), "complex32": (2, True),
    "complex64": (4, True), "complex128": (8, True),
}  # fmt: skip
_BLOCKS = {
    word: (size, False) for word, values, size in TYPES.values() if values > 1 and size <= WIDEST
}

WIDTHS: Mapping[str, tuple[int, bool]] = _BLOCKS | _NUMBERS
"""By dtype, what a `Cut` is told: the width of a value, of half a complex one, of a block of GGUF.

Those that are not here (texts, values of less than a byte) have no width.
"""


def layout(facts: Mapping[str, Facts]) -> dict[str, tuple[Span, ...]]:
    """Where tensors lie, by path in the release, as far as its files tell; `facts` are by path.

    One file may be told by several others, as weights that two graphs share.
    """
    return by_file(
        (_below(path, name), span)
        for path, each in facts.items()
        for name, spans in each.spans.items()
        for span in spans
    )


def cuts(spans: Iterable[Span]) -> tuple[Cut, ...]:
    """The same places as the store takes them."""
    return tuple(
        Cut(start, stop, *WIDTHS.get(dtype, (0, False))) for start, stop, dtype, _ in spans
    )


def _below(path: str, name: str) -> str:
    """The file that the one at `path` calls `name`."""
    folder = path.rpartition("/")[0]
    return f"{folder}/{name}" if folder else name
