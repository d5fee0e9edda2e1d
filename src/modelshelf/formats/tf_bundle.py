"""A tensor bundle, TensorFlow's checkpoint: an index that says where in which data file a tensor lies.

Source: `tensor_bundle.proto` and `tensorflow/core/util/tensor_bundle/naming.cc`.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.companion import absent
from modelshelf.formats.facts import Risk, TensorInfo
from modelshelf.formats.protobuf import Wire, signed
from modelshelf.formats.spans import Span, by_file
from modelshelf.formats.sstable import Table
from modelshelf.formats.tf_types import DTYPES, dtype_word, fixed, shape_of
from modelshelf.package.signature import element_count

SHARD_COUNT = 10_000
SUFFIX = ".index"
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""Under this key a checkpoint of TensorFlow 2 keeps the objects that its tensors belong to."""
OBJECT_GRAPH_BYTES = 64 * 1024 * 1024


class Entry(NamedTuple):
    """Where a tensor lies: in which data file, from which byte, how many; sliced ones elsewhere."""

    tensor: TensorInfo
    shard: int
    offset: int
    size: int
    sliced: bool


@dataclass
class Bundle:
    """What an index says; `pieces` are the slices of tensors that were cut up."""

    path: Path
    shards: int = 0
    big_endian: bool = False
    checked: bool = True
    entries: list[Entry] = field(default_factory=list)
    pieces: list[Entry] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """The checkpoint's name: the file's without `.index`."""
        return self.path.name.removesuffix(SUFFIX)

    def shard(self, number: int) -> str:
        """The name of a data file."""
        return f"{self.prefix}.data-{number:05d}-of-{self.shards:05d}"

    @property
    def data_files(self) -> tuple[str, ...]:
        """The names of all data files."""
        return tuple(self.shard(number) for number in range(self.shards))

    @property
    def tensors(self) -> tuple[TensorInfo, ...]:
        """Every tensor by its key; the object graph is none."""
        return tuple(each.tensor for each in self.entries if each.tensor.name != OBJECT_GRAPH)

    def stored(self) -> Iterator[tuple[int, Span]]:
        """The number of a data file and the place in it, of everything that is stored, by key."""
        named = ((each.tensor.name, each) for each in self.entries if not each.sliced)
        for name, each in (*(("", piece) for piece in self.pieces), *named):
            span = Span(each.offset, each.offset + each.size, each.tensor.dtype, name)
            yield each.shard, span

    def spans(
        self, names: dict[str, str] | None = None, folder: str = ""
    ) -> dict[str, tuple[Span, ...]]:
        """Where tensors lie, by data file below `folder`; called by `names` of keys if told."""
        known = names or {}
        return by_file(
            (f"{folder}{self.shard(number)}", span._replace(name=known.get(span.name) or span.name))
            for number, span in self.stored()
        )


def read_bundle(path: Path) -> Bundle:
    """The index at `path`; raises FormatError where a data file that is there is too short."""
    if path.stat().st_size == 0:
        raise FormatError("the index is empty", where=path.name, hint="save the checkpoint again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        table = Table(data)
        bundle = Bundle(path)
        for key, value in table.entries():
            _gather(bundle, key, value)
        bundle.checked = table.checked + 4096 >= len(data)
    if not bundle.shards:
        raise FormatError(
            "the table has no header of a checkpoint", expected="an entry with an empty key"
        )
    _check_lengths(bundle)
    return bundle


def missing(bundle: Bundle, file: str, folder: str = "") -> tuple[Risk, ...]:
    """A risk for each data file that is not there."""
    return tuple(
        Risk("external-data", f"{folder}{name} is missing", file)
        for name in bundle.data_files
        if not (bundle.path.parent / name).is_file()
    )


def object_graph(bundle: Bundle) -> bytes | None:
    """The object graph's protobuf: the one string tensor of that name; None if it is not there.

    A string tensor is its lengths as varints, their checksum of four bytes, then the strings.
    """
    entry = next((each for each in bundle.entries if each.tensor.name == OBJECT_GRAPH), None)
    if entry is None or entry.tensor.dtype != "string" or entry.tensor.shape or entry.sliced:
        return None
    path = bundle.path.parent / bundle.shard(entry.shard)
    if not path.is_file():
        return None
    if entry.size > OBJECT_GRAPH_BYTES:
        raise FormatError(
            "the checkpoint's object graph is larger than any real one",
            expected=f"at most {OBJECT_GRAPH_BYTES} bytes",
            got=entry.size,
        )
    with path.open("rb") as file:
        file.seek(entry.offset)
        content = file.read(entry.size)
    length, at = Wire(content).varint(0, len(content))
    if at + 4 + length != len(content):
        raise FormatError("the checkpoint's object graph is damaged", where=path.name)
    return content[at + 4 :]


def _gather(bundle: Bundle, key: bytes, value: bytes) -> None:
    """One entry: the header under the empty key, a tensor, or a slice of one (keys with a zero)."""
    if not key:
        _header(bundle, value)
        return
    if not bundle.shards:
        raise FormatError("the checkpoint's index does not begin with its header")
    if key[:1] == b"\0":
        entry = _entry("a slice", value, bundle.shards)
        bundle.pieces.append(entry)
        return
    try:
        name = key.decode()
    except UnicodeDecodeError as error:
        raise FormatError("a tensor's name is not UTF-8", got=repr(key[:80])) from error
    bundle.entries.append(_entry(name, value, bundle.shards))


def _header(bundle: Bundle, value: bytes) -> None:
    wire = Wire(value)
    for part in wire.fields(0, len(value)):
        if part.number == 1:
            bundle.shards = part.value
        elif part.number == 2:
            bundle.big_endian = part.value == 1
    if not 1 <= bundle.shards <= SHARD_COUNT:
        raise FormatError(
            "the checkpoint has an impossible number of data files",
            expected=f"1 to {SHARD_COUNT}",
            got=bundle.shards,
        )


def _entry(name: str, value: bytes, shards: int) -> Entry:
    wire = Wire(value)
    shape: tuple[int | None, ...] | None = ()
    numbers = {1: 0, 3: 0, 4: 0, 5: 0}
    sliced = False
    for part in wire.fields(0, len(value)):
        if part.number in numbers:
            numbers[part.number] = signed(part.value)
        elif part.number == 2:
            shape = shape_of(wire, part)
        elif part.number == 7:
            sliced = True
    dtype, shard, offset, size = numbers.values()
    if not 0 <= shard < shards or offset < 0 or size < 0:
        raise FormatError(
            f"tensor {name[:80]!r} lies at an impossible place",
            expected=f"in data files 0 to {shards - 1}",
            got=f"file {shard}, byte {offset}, {size} bytes",
        )
    entry = Entry(
        TensorInfo(name, dtype_word(dtype), fixed(name, shape)), shard, offset, size, sliced
    )
    _check_size(entry, dtype)
    return entry


def _check_size(entry: Entry, dtype: int) -> None:
    bits = DTYPES[dtype][1] if dtype in DTYPES else 0
    count = element_count(entry.tensor.shape)
    if bits and not entry.sliced and count * bits != entry.size * 8:
        raise FormatError(
            f"tensor {entry.tensor.name[:80]!r} has another size than its dtype and shape ask for",
            expected=f"{count} values of {bits} bits",
            got=f"{entry.size} bytes",
        )


def _check_lengths(bundle: Bundle) -> None:
    ends = [0] * bundle.shards
    for shard, span in bundle.stored():
        ends[shard] = max(ends[shard], span.stop)
    absent({bundle.shard(number): end for number, end in enumerate(ends)}, bundle.path.parent)
