"""The parts of a `.pt2` archive beside its program: raw tensors, and pickles that are looked into."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, field

from modelshelf.errors import FormatError
from modelshelf.formats.archive import Archive
from modelshelf.formats.exported_program import Payload, payloads_of
from modelshelf.formats.exported_signature import dtype_of, shape_of
from modelshelf.formats.facts import Risk, TensorInfo
from modelshelf.formats.pickled import Budget, inspect
from modelshelf.formats.placeholders import Global
from modelshelf.formats.pytorch import check_storages, places, value_count
from modelshelf.formats.pytorch_imports import harmful
from modelshelf.formats.spans import Span
from modelshelf.formats.stored import Storage, Stored, renamed, spans_in, tensors_in

NATIVE = (
    ".so", ".o", ".a", ".dll", ".dylib", ".pyd", ".cubin", ".ptx", ".fatbin", ".hsaco", ".spv",
    ".cpp", ".cc", ".c", ".h", ".cu", ".metal", ".metallib",
)  # fmt: skip
"""Machine code, and sources that the loader compiles."""


@dataclass
class Parts:
    """What was found so far; one budget of opcodes for all pickles."""

    file: str
    tensors: list[TensorInfo] = field(default_factory=list)
    parameters: int = 0
    imports: dict[Global, None] = field(default_factory=dict)
    risks: list[Risk] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)

    def table(self, opened: Archive, name: str) -> set[str]:
        """Read a table of weights or constants, and what it points to; returns those entries."""
        folder = name.rpartition("/")[0] + "/"
        payloads = payloads_of(opened.read(name))
        raw = {key: each for key, each in payloads.items() if not each.use_pickle}
        stored = [_stored(opened, folder, key, each) for key, each in raw.items()]
        empty = [each.info.name for each in stored if each.storage is None]
        if empty:
            self.notes.append(f"{len(empty)} tensors without their values, {empty[0][:80]} first")
        spans = {
            f"{folder}{each.path_name}": opened.span(f"{folder}{each.path_name}")
            for each in raw.values()
        }
        self._gather(stored, {key: span for key, span in spans.items() if span is not None})
        for key, each in payloads.items():
            if each.use_pickle:
                self.pickle(opened, f"{folder}{each.path_name}", key)
        return {f"{folder}{each.path_name}" for each in payloads.values()}

    def pickle(self, opened: Archive, name: str, prefix: str | None = None) -> None:
        """Look into a pickle: `torch.save`'s archive or a bare one.

        Its tensors count as the model's where there is a `prefix` for their names (`""` for none).
        """
        if name not in opened.entries:
            raise FormatError(f"{name[:80]} is missing from the archive", hint="export it again")
        inner = opened.nested(name)
        if inner is not None and "data.pkl" in inner.entries:
            source = io.BytesIO(inner.read("data.pkl"))
        else:
            source = io.BytesIO(opened.read(name))
        if not source.getbuffer():
            return
        pickle = inspect(source, self.budget)
        self._judge(pickle.imports, name, len(source.getbuffer()) - source.tell())
        stored = tensors_in(pickle.root)
        if inner is None or "data.pkl" not in inner.entries:
            return
        check_storages(stored, inner.entries, "data/")
        spans = places(inner, stored, "data/")
        if prefix is None:
            self.spans += spans_in(renamed(stored, name), spans)
        else:
            self._gather(renamed(stored, prefix), spans)

    def native(self, names: list[str]) -> None:
        """Note every entry that is machine code, or becomes it."""
        self.risks += [
            Risk("native-code", name, self.file) for name in names if name.lower().endswith(NATIVE)
        ]

    def _gather(self, stored: list[Stored], spans: dict[str, tuple[int, int]]) -> None:
        self.tensors += [each.info for each in stored]
        self.parameters += value_count(stored)
        self.spans += spans_in(stored, spans)

    def _judge(self, imports: tuple[Global, ...], name: str, trailing: int) -> None:
        self.imports |= dict.fromkeys(imports)
        # PyTorch's own unpickler reads these: it imports nothing of Python's.
        is_native = name.rpartition("/")[2].startswith("custom_obj_")
        for each in harmful(imports):
            if is_native and each.module == "torch.jit._pickle":
                continue
            own = each.module.startswith("__torch__.")
            kind = "custom-class" if own else "pickle-global"
            self.risks.append(Risk(kind, f"{each} in {name}", self.file))
        if trailing:
            detail = f"{trailing} bytes after the pickle in {name}"
            self.risks.append(Risk("pickle-trailing", detail, self.file))


def _stored(opened: Archive, folder: str, name: str, payload: Payload) -> Stored:
    """A tensor whose values are an entry of the archive; it must lie within that entry."""
    if payload.tensor_meta is None:
        raise FormatError(f"tensor {name[:80]!r} is not described", hint="export the model again")
    dtype, value_bytes = dtype_of(payload.tensor_meta)
    shape = shape_of(payload.tensor_meta)
    entry = f"{folder}{payload.path_name}"
    size = opened.entries.get(entry)
    offset = payload.tensor_meta.storage_offset.as_int or 0
    strides = tuple(stride.as_int or 0 for stride in payload.tensor_meta.strides)
    reach = _reach(name, shape, strides)
    if size is None or offset < 0 or (size and (offset + reach) * value_bytes > size):
        raise FormatError(
            f"tensor {name[:80]!r} reaches beyond its entry {entry[:80]}",
            expected=f"{(offset + reach) * value_bytes} bytes or more",
            got="nothing" if size is None else f"{size} bytes",
            hint="the file is damaged; export the model again",
        )
    info = TensorInfo(name, dtype, shape)
    if not size and reach:
        return Stored(info, None, ("empty", name))
    storage = Storage(entry, dtype, value_bytes, size // value_bytes)
    part = (offset * value_bytes, reach * value_bytes) if reach else (0, 0)
    return Stored(info, storage, (entry, offset, shape, strides), part)


def _reach(name: str, shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """How many values lie from the tensor's first to its last."""
    if len(shape) != len(strides) or any(stride < 0 for stride in strides):
        raise FormatError(f"tensor {name[:80]!r} has impossible strides", got=str(strides)[:80])
    if not math.prod(shape):
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
