"""The weights of a TensorFlow.js model: what `weightsManifest` lists, and where each tensor lies.

Source: `tfjs-core/src/io/types.ts` and `io_utils.ts`. A group's weights lie one behind the other in
the bytes of its files put together, so a tensor may begin in one file and end in the next.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.companion import refuse_link, stays
from modelshelf.formats.facts import Risk, TensorInfo
from modelshelf.formats.spans import Span
from modelshelf.package.signature import element_count

RANK = 64
VALUE_BITS = 80
"""More values than a number of so many bits tells are no tensor's."""
TEXT_COUNT = 10_000
"""Texts whose lengths are looked up; tensors that lie behind more of them have no known place."""
LENGTH_BYTES = 4
PATH_CHARACTERS = 1000
PART_BYTES = 255
"""The longest name of a file that file systems take."""

# dtype in the manifest: bytes of one value; 0 where it varies
DTYPES = {"float32": 4, "int32": 4, "bool": 1, "complex64": 8, "string": 0}
QUANTIZED = {"uint8": 1, "uint16": 2, "float16": 2}


@dataclass
class Weights:
    """What the manifest says, beside what lies in the folder.

    `parameters` leaves the optimizer's values out; `quantized` counts tensors by the dtype that they
    are stored in; `spans` are pieces of tensors, each with the file in which it lies.
    """

    tensors: list[TensorInfo] = field(default_factory=list)
    parameters: int = 0
    files: dict[str, None] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    spans: list[tuple[str, Span]] = field(default_factory=list)
    quantized: dict[str, int] = field(default_factory=dict)
    optimizer: int = 0
    names: set[str] = field(default_factory=set)
    texts_left: int = TEXT_COUNT

    def risks(self, file: str) -> tuple[Risk, ...]:
        """Files that are not there."""
        return tuple(Risk("external-data", f"{name} is missing", file) for name in self.missing)


@dataclass(frozen=True)
class _Shards:
    """The files of one group: their names and, if all are there, where each begins in the whole."""

    folder: Path
    names: tuple[str, ...]
    begins: tuple[int, ...]

    @property
    def size(self) -> int:
        return self.begins[-1]

    def pieces(self, begin: int, end: int) -> list[tuple[str, int, int]]:
        """The parts of files that make up the bytes from `begin` to `end`."""
        found = []
        number = bisect_right(self.begins, begin) - 1
        while number < len(self.names) and self.begins[number] < end:
            start, stop = self.begins[number], min(end, self.begins[number + 1])
            if stop > begin:
                found.append((self.names[number], max(begin, start) - start, stop - start))
            number += 1
        return found

    def read(self, begin: int, count: int) -> bytes:
        """A few bytes, which may lie in several files."""
        content = b""
        for name, start, stop in self.pieces(begin, begin + count):
            with (self.folder / name).open("rb") as file:
                file.seek(start)
                content += file.read(stop - start)
        return content


def weights_of(manifest: object, folder: Path) -> Weights:
    """Read the manifest; files are measured, and read only where a text's length stands in them."""
    found = Weights()
    for group in _listed(manifest, "weightsManifest"):
        paths = _listed(group.get("paths"), "paths", str) if isinstance(group, dict) else ()
        if not isinstance(group, dict):
            raise FormatError("a group of weights is no table", got=type(group).__name__)
        shards = _shards(found, folder, tuple(_path(each) for each in paths))
        _group(found, _listed(group.get("weights"), "weights"), shards)
    if found.optimizer:
        found.notes.append(f"state of the optimizer: {found.optimizer} tensors")
    for dtype, count in sorted(found.quantized.items()):
        found.notes.append(f"{count} tensors are quantized to {dtype}")
    return found


def _listed(value: object, name: str, kind: type = dict) -> list:  # type: ignore[type-arg]
    """A list whose elements are all of one kind."""
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise FormatError(f"{name} is no list as it should be", got=type(value).__name__)
    return value


def _path(path: str) -> str:
    """A file beside the model or below it. TensorFlow.js puts the model's own address before it."""
    parts = path.split("/")
    if (
        not stays(path)
        or any(mark in path for mark in "%?#:")
        or not path.isprintable()
        or len(path) > PATH_CHARACTERS
        or any(len(part.encode()) > PART_BYTES for part in parts)
    ):
        raise FormatError(
            "the weights lie outside of the package",
            expected="a file beside the model or below it",
            got=path[:200],
            hint="save the model again with its weights in the same folder",
        )
    return "/".join(part for part in parts if part not in {"", "."})


def _shards(found: Weights, folder: Path, names: tuple[str, ...]) -> _Shards | None:
    """Measure a group's files; None where one is missing."""
    found.files |= dict.fromkeys(names)
    sizes = []
    for name in names:
        path = os.path.join(folder, name)  # noqa: PTH118  thousands of files: pathlib takes twice as long
        try:
            told = os.stat(path)  # noqa: PTH116
        except OSError:
            found.missing[name] = None
            continue
        if not stat.S_ISREG(told.st_mode):
            found.missing[name] = None
            continue
        sizes.append(told.st_size)
    _refuse_links(folder, names)
    if len(sizes) < len(names):
        return None
    return _Shards(folder, names, (0, *accumulate(sizes)))


def _refuse_links(folder: Path, names: tuple[str, ...]) -> None:
    """Files must lie in the folder; those beside the model do unless they are links themselves."""
    for name in names:
        beside = "/" not in name and not os.path.islink(os.path.join(folder, name))  # noqa: PTH114, PTH118
        if not beside:
            refuse_link(folder / name, folder)


def _group(found: Weights, entries: list[dict[str, object]], shards: _Shards | None) -> None:
    place: int | None = 0
    for entry in entries:
        info, value_bytes = _tensor(found, entry)
        if place is None:
            continue
        end = _end(found, info, value_bytes, shards, place)
        if shards is not None and end is not None:
            _place(found, info, shards, place, end)
        place = end
    if shards is not None and place is not None and place < shards.size:
        found.notes.append(f"{shards.size - place} bytes of {shards.names[-1]} belong to no tensor")


def _tensor(found: Weights, entry: dict[str, object]) -> tuple[TensorInfo, int]:
    """A tensor as it is stored, and how many bytes each of its values takes."""
    name, dtype, shape = entry.get("name"), entry.get("dtype"), entry.get("shape")
    if not isinstance(name, str) or name in found.names:
        raise FormatError("a weight has no name of its own", got=repr(name)[:80])
    if not _is_shape(shape):
        raise FormatError(f"weight {name[:80]!r} has an impossible shape", got=repr(shape)[:80])
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FormatError(
            f"weight {name[:80]!r} has an unknown dtype",
            expected=", ".join(DTYPES),
            got=repr(dtype)[:40],
        )
    word, value_bytes = dtype, DTYPES[dtype]
    if "quantization" in entry:
        told = entry["quantization"]
        word = str(told.get("dtype")) if isinstance(told, dict) else ""
        if word not in QUANTIZED:
            raise FormatError(
                f"weight {name[:80]!r} is quantized in an unknown way",
                expected=", ".join(QUANTIZED),
                got=word[:40],
            )
        value_bytes = QUANTIZED[word]
        found.quantized[word] = found.quantized.get(word, 0) + 1
    info = TensorInfo(name, word, tuple(shape))  # type: ignore[arg-type]
    found.names.add(name)
    found.tensors.append(info)
    if entry.get("group") == "optimizer":
        found.optimizer += 1
    else:
        found.parameters += element_count(info.shape)
    return info, value_bytes


def _is_shape(shape: object) -> bool:
    """Whole sizes, none of them negative, whose product is not beyond all measure."""
    if not isinstance(shape, list) or len(shape) > RANK:
        return False
    bits = 0
    for size in shape:
        if type(size) is not int or size < 0:
            return False
        bits += size.bit_length()
    return bits <= VALUE_BITS


def _end(
    found: Weights, info: TensorInfo, value_bytes: int, shards: _Shards | None, place: int
) -> int | None:
    """The byte behind a tensor that begins at `place`; None where it cannot be told."""
    count = element_count(info.shape)
    if value_bytes:
        return place + count * value_bytes
    found.texts_left -= count
    if shards is None or found.texts_left < 0:
        return None
    for _ in range(count):
        length = shards.read(place, LENGTH_BYTES)
        place += LENGTH_BYTES + int.from_bytes(length, "little")
        if len(length) < LENGTH_BYTES or place > shards.size:
            raise _cut_off(info, shards, place)
    return place


def _place(found: Weights, info: TensorInfo, shards: _Shards, begin: int, end: int) -> None:
    if end > shards.size:
        raise _cut_off(info, shards, end)
    for name, start, stop in shards.pieces(begin, end):
        found.spans.append((name, Span(start, stop, info.dtype, info.name)))


def _cut_off(info: TensorInfo, shards: _Shards, needed: int) -> FormatError:
    return FormatError(
        f"weight {info.name[:80]!r} is cut off",
        where=shards.names[-1] if shards.names else None,
        expected=f"{needed} bytes or more in {len(shards.names)} files",
        got=f"{shards.size} bytes",
        hint="copy all files of the model again",
    )
