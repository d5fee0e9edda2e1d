"""The contract of a release: all that its callers may rely on, as one value to be compared.

`contract` makes it from a folder, the registry keeps it with the release and serves it, and
`checks.diff` compares two of them without another look at the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from modelshelf.checks.layout import layout
from modelshelf.errors import FormatError
from modelshelf.formats import Facts
from modelshelf.formats.labels import read_labels
from modelshelf.formats.spans import Span
from modelshelf.package.record import Record, named_files

READERS_VERSION = 2
"""Goes up when readers say other things of the same files: contracts kept before are made anew,
since a comparison would take that for a change of the release."""
GOLDEN_BYTES = 4 * 1024 * 1024
"""Golden arrays of a release that are kept in its contract; larger sets count by their digest."""
BLOCK_BYTES = 1024 * 1024


class Held(msgspec.Struct, frozen=True):
    """A file of the release: its size in bytes, its digest, and the digest of its tensors alone.

    `weights` covers the bytes from the first tensor to the last, so that it stays the same when
    only the text around them changed; without known tensors it is the digest of the file.
    """

    size: int
    sha256: str
    weights: str


class Array(msgspec.Struct, frozen=True):
    """An array: `data` are its values in C order, little-endian."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Example(msgspec.Struct, frozen=True):
    """A golden case with its arrays by name."""

    inputs: dict[str, Array]
    outputs: dict[str, Array]


class Contract(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release as its callers know it: record, files, what the files say, labels, golden cases.

    `facts` and `files` are by path; `labels` holds the lines of each labels file; `golden` the
    cases by name, as far as their arrays are small.
    """

    record: Record
    files: dict[str, Held] = {}
    facts: dict[str, Facts] = {}
    labels: dict[str, tuple[str, ...]] = {}
    golden: dict[str, Example] = {}


def contract(
    folder: Path, record: Record, facts: Mapping[str, Facts], known: Mapping[str, str] | None = None
) -> Contract:
    """The contract of the release described by `record`, whose files lie below `folder`.

    Files that are missing or unreadable are left out: other checks tell of them. Reads every
    file once; of files whose sha256 is `known`, by path, only the tensors.
    """
    there = [path for path in named_files(record) if (folder / path).is_file()]
    spans = layout(facts)
    return Contract(
        record=record,
        files={
            path: _held(folder / path, spans.get(path, ()), (known or {}).get(path))
            for path in there
        },
        facts={path: msgspec.structs.replace(each, spans={}) for path, each in facts.items()},
        labels={path: lines for path in _label_files(record) if (lines := _lines(folder / path))},
        golden=_examples(folder, record),
    )


def _held(path: Path, spans: tuple[Span, ...], known: str | None) -> Held:
    """Digests of the file and of its bytes from the first tensor to the end of the last."""
    size = path.stat().st_size
    whole = known or _digest(path, 0, size)
    return Held(size, whole, _digest(path, spans[0].start, spans[-1].stop) if spans else whole)


def _digest(path: Path, start: int, end: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(min(BLOCK_BYTES, end - file.tell())):
            digest.update(block)
    return digest.hexdigest()


def _label_files(record: Record) -> list[str]:
    outputs = [
        tensor
        for signature in record.signatures.values()
        for tensor in (*signature.inputs.values(), *signature.outputs.values())
    ]
    return list(dict.fromkeys(tensor.labels for tensor in outputs if tensor.labels))


def _lines(path: Path) -> tuple[str, ...]:
    """One label a line; none where the check of labels tells what is wrong."""
    try:
        return read_labels(path)
    except FormatError:
        return ()


def _examples(folder: Path, record: Record) -> dict[str, Example]:
    found: dict[str, Example] = {}
    left = GOLDEN_BYTES
    for case in record.golden:
        try:
            example = Example(_arrays(folder / case.inputs), _arrays(folder / case.outputs))
        except FormatError:
            continue  # the check of golden sets tells
        arrays = (*example.inputs.values(), *example.outputs.values())
        left -= sum(len(array.data) for array in arrays)
        if left >= 0:
            found[case.name] = example
    return found


def _arrays(path: Path) -> dict[str, Array]:
    from modelshelf.formats.arrays import read_arrays

    return {
        name: Array(each.dtype.name, each.shape, _little_endian(each))
        for name, each in read_arrays(path).items()
    }


def _little_endian(array: Any) -> bytes:
    return bytes(array.astype(array.dtype.newbyteorder("<")).tobytes())
