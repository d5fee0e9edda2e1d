"""Keras: an archive of a configuration and weights (version 3), or the older whole file in HDF5.

Source: `keras/src/saving/saving_lib.py`, `serialization_lib.py` and `legacy/`. The configuration
names the classes and functions that loading would make; nothing of it is imported.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import overload

from modelshelf.errors import FormatError
from modelshelf.formats import archive, hdf5
from modelshelf.formats.facts import Facts, Format, Risk, TensorInfo, precision_of
from modelshelf.formats.keras_config import Config, parsed
from modelshelf.formats.spans import Span, disjoint
from modelshelf.package.signature import element_count

WEIGHTS = "model.weights.h5"
PACKED_BYTES = 64 * 1024 * 1024
_OPTIMIZER = {"optimizer", "optimizer_weights"}


def read(path: Path) -> Facts:
    """Layers, weights and inputs of a `.keras` archive or of an older `.h5` file."""
    with path.open("rb") as file:
        is_archive = file.read(4) == b"PK\x03\x04"
    return _archive(path) if is_archive else _legacy(path)


def claims(path: Path, head: bytes) -> bool:
    """An archive with Keras' configuration, or an HDF5 file."""
    if head.startswith(b"PK\x03\x04"):
        return path.suffix.lower() == ".keras" or {"config.json", "metadata.json"} <= (
            archive.entry_names(path, top=True)
        )
    return head.startswith(hdf5.SIGNATURE)


def _archive(path: Path) -> Facts:
    with archive.opened(path, top=True) as opened:
        missing = {"config.json", "metadata.json"} - opened.entries.keys()
        if missing:
            raise FormatError(
                "the archive holds no Keras model",
                expected=", ".join(sorted(missing)),
                hint="save the model with model.save('name.keras')",
            )
        config = parsed(opened.read("config.json"))
        version = _version(opened.read("metadata.json"))
        others = [Risk("nested-archive", name, path.name) for name in _archives(opened.entries)]
        span = opened.span(WEIGHTS) if WEIGHTS in opened.entries else None
        packed = opened.read(WEIGHTS) if span is None and WEIGHTS in opened.entries else None
    if span is not None:
        found = _mapped(path, *span)
    else:
        found = hdf5.inspect(packed) if packed else hdf5.Hdf5()
    start = span[0] if span else None
    return _facts(path, config, found, version, start, others=others)


def _legacy(path: Path) -> Facts:
    size = path.stat().st_size
    found = _mapped(path, 0, size)
    text = found.attributes.get("model_config")
    config = parsed(text.encode()) if text else Config()
    note = "legacy HDF5 file" if text else "legacy HDF5 file of weights without a configuration"
    version = found.attributes.get("keras_version")
    return _facts(path, config, found, version, 0, notes=(note,))


def _mapped(path: Path, start: int, end: int) -> hdf5.Hdf5:
    """The HDF5 file from `start` to `end` of the file at `path`; its tensors are not touched."""
    if end <= start:
        raise FormatError("the file of weights is empty", expected="an HDF5 file")
    # A map begins at a multiple of the page size.
    begin = start - start % mmap.ALLOCATIONGRANULARITY
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), end - begin, offset=begin, access=mmap.ACCESS_READ) as data,
    ):
        return hdf5.inspect(_Part(data, start - begin))


class _Part:
    """A map from some byte on."""

    def __init__(self, data: mmap.mmap, start: int) -> None:
        self._data, self._start = data, start

    def __len__(self) -> int:
        return len(self._data) - self._start

    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...
    def __getitem__(self, place: int | slice, /) -> int | bytes:
        if isinstance(place, int):
            return self._data[place + self._start]
        return self._data[place.start + self._start : place.stop + self._start]


def _facts(
    path: Path,
    config: Config,
    found: hdf5.Hdf5,
    version: str | None,
    start: int | None,
    *,
    others: list[Risk] | None = None,
    notes: tuple[str, ...] = (),
) -> Facts:
    own = [each for each in found.datasets if not _OPTIMIZER & set(each.name.split("/"))]
    tensors = tuple(TensorInfo(each.name, each.dtype, each.shape) for each in own)
    if len(own) < len(found.datasets):
        notes = (*notes, f"state of the optimizer: {len(found.datasets) - len(own)} tensors")
    spans = disjoint(_spans(found, start)) if start is not None else ()
    return Facts(
        format="keras",
        framework="keras",
        framework_version=version,
        tensors=tensors,
        signatures=config.signatures(),
        parameters=sum(element_count(each.shape) for each in own),
        ops=dict(sorted(config.layers.items())),
        code=tuple(config.foreign),
        precision=precision_of(tensors),
        unsaid=(
            "The shapes and dtypes of its outputs: Keras computes them when it builds the model.",
        ),
        notes=notes,
        risks=(
            *(Risk(kind, detail, path.name) for kind, detail in config.risks),
            *(Risk("file-op", f"{name}: in another file", path.name) for name in found.elsewhere),
            *(others or []),
        ),
        spans={path.name: spans} if spans else {},
    )


def _spans(found: hdf5.Hdf5, start: int) -> Iterator[Span]:
    """Where datasets lie in a file in which the HDF5 file begins at `start`."""
    for each in found.datasets:
        if each.place:
            yield Span(start + each.place[0], start + each.place[1], each.dtype, each.name)


def _version(text: bytes) -> str | None:
    try:
        told = json.loads(text)["keras_version"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise FormatError("metadata.json does not say which Keras wrote it") from error
    return str(told)[:40]


def _archives(entries: dict[str, int]) -> list[str]:
    """Entries that are neither Keras' own nor assets of its layers."""
    own = ("config.json", "metadata.json", WEIGHTS)
    return [name for name in entries if name not in own and not name.startswith("assets/")]


FORMAT = Format(
    name="keras",
    framework="keras",
    suffixes=(".keras", ".h5", ".hdf5"),
    contexts=("python",),
    advantages="Architecture, weights and training state in one file.",
    disadvantages="Custom layers need their publisher's code, and a Lambda layer carries it along.",
    claims=claims,
    read=read,
    carries_code=True,
)
