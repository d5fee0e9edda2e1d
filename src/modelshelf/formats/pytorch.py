"""PyTorch's `.pt` and `.pth`: a pickle of a state dict or of a whole model, with its storages.

Both layouts are read: the zip archive (since 1.6) and the older run of pickles followed by the
storages. Source: `torch/serialization.py`. Nothing is unpickled.
"""

from __future__ import annotations

import io
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats import archive
from modelshelf.formats.facts import Facts, Format, Risk, author_paths, precision_of
from modelshelf.formats.pickled import Budget, Pickle, inspect
from modelshelf.formats.placeholders import Global, Node, Persistent
from modelshelf.formats.pytorch_imports import ALLOWED, harmful
from modelshelf.formats.spans import Span, disjoint
from modelshelf.formats.stored import Stored, spans_in, storages_in, tensors_in
from modelshelf.formats.window import Window
from modelshelf.package.signature import element_count

MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
ZIP_MARK = b"PK\x03\x04"
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")

UNSAID = (
    "A pickle of weights or of an object says nothing of inputs and outputs.",
    "The version of PyTorch that wrote it is not in the file.",
)

_MAGIC_BYTES = MAGIC.to_bytes(10, "little")
_DICTIONARIES = {Global("builtins", "dict"), Global("collections", "OrderedDict")}


def read(path: Path) -> Facts:
    """What a PyTorch file says; `code` lists everything that loading it would import."""
    with path.open("rb") as file:
        is_archive = file.read(4) == ZIP_MARK
    return _archive(path) if is_archive else _legacy(path)


def claims(path: Path, head: bytes) -> bool:
    """An archive with PyTorch's pickle in it, the older magic number, or a pickle named `.pt`."""
    named = path.suffix.lower() in SUFFIXES
    if head.startswith(ZIP_MARK):
        names = archive.entry_names(path)
        is_script = "constants.pkl" in names
        return not is_script and ("data.pkl" in names or (named and not names))
    return _MAGIC_BYTES in head[:32] or (named and head[:1] == b"\x80")


def _archive(path: Path) -> Facts:
    with archive.opened(path) as opened:
        if "data.pkl" not in opened.entries:
            raise FormatError(
                "the archive holds no PyTorch model",
                expected="data.pkl in its top folder",
                hint="save the model with torch.save",
            )
        source = io.BytesIO(opened.read("data.pkl"))
        pickle = inspect(source)
        tensors = tensors_in(pickle.root)
        check_storages(tensors, opened.entries, "data/")
        trailing = len(source.getbuffer()) - source.tell()
        spans = disjoint(spans_in(tensors, places(opened, tensors, "data/")))
        notes = archive_notes(opened)
    return _facts(path, pickle, tensors, notes, trailing=trailing, spans=spans)


def archive_notes(opened: archive.Archive) -> tuple[str, ...]:
    """The version of the archive's layout and its order of bytes, where they are written."""
    names = {
        "version": "archive version",
        ".data/version": "archive version",
        "byteorder": "byte order",
    }
    said = {words: opened.text(name) for name, words in names.items() if opened.text(name)}
    return tuple(f"{words} {text}" for words, text in said.items())


def places(
    opened: archive.Archive, tensors: list[Stored], folder: str
) -> dict[str, tuple[int, int]]:
    """Where the storages of `tensors` lie in the archive's file, by key; packed ones left out."""
    spans = {key: opened.span(f"{folder}{key}") for key in storages_in(tensors)}
    return {key: span for key, span in spans.items() if span is not None}


def check_storages(tensors: list[Stored], entries: dict[str, int], folder: str) -> None:
    """Every storage must be an entry of the archive with the size that the pickle says."""
    for key, storage in storages_in(tensors).items():
        size = entries.get(f"{folder}{key}")
        if size != storage.size_bytes:
            raise FormatError(
                f"storage {key[:80]!r} is missing or has another size than the pickle says",
                expected=f"{storage.size_bytes} bytes",
                got="nothing" if size is None else f"{size} bytes",
                hint="the file is damaged; save it again",
            )


def _legacy(path: Path) -> Facts:
    """Magic number, protocol, machine, object, keys: five pickles, then the storages."""
    budget = Budget()
    with path.open("rb") as file:
        window = Window(file, allowance=archive.PICKLE_BYTES)
        first = inspect(window, budget)
        if first.root != MAGIC:
            return _bare(path, first)
        protocol, machine, model, keys = (inspect(window, budget) for _ in range(4))
        if protocol.root != LEGACY_PROTOCOL:
            raise FormatError("the file is of an unknown protocol", expected=LEGACY_PROTOCOL)
        tensors = tensors_in(model.root)
        start = window.tell()
        _check_tail(tensors, keys.root, window.size - start)
        spans = disjoint(spans_in(tensors, _tail(window, tensors, keys.root, start)))
    imports = _merged(first, protocol, machine, model, keys)
    notes = ("layout before PyTorch 1.6",)
    return _facts(path, Pickle(model.root, imports), tensors, notes, spans=spans)


def _tail(
    window: Window, tensors: list[Stored], keys: object, at: int
) -> dict[str, tuple[int, int]]:
    """Where the storages lie after the pickles, by key; ends at one that no tensor shows."""
    storages = storages_in(tensors)
    found: dict[str, tuple[int, int]] = {}
    for key in map(str, keys if isinstance(keys, list) else ()):
        if key not in storages:
            break
        found[key] = (at + 8, at + 8 + storages[key].size_bytes)
        window.seek(at)
        count = int.from_bytes(window.read(8), "little")
        if count != storages[key].count:
            raise FormatError(
                f"storage {key[:80]!r} has another size than the pickle says",
                expected=f"{storages[key].count} values",
                got=f"{count} values",
                hint="the file is damaged; save it again",
            )
        at = found[key][1]
    return found


def _check_tail(tensors: list[Stored], keys: object, left: int) -> None:
    """After the pickles stand, for each key, a count of 8 bytes and the values."""
    storages = storages_in(tensors)
    if not isinstance(keys, list) or not storages.keys() <= {str(key) for key in keys}:
        raise FormatError("the file does not list the storages that its tensors use")
    needed = 8 * len(keys) + sum(storage.size_bytes for storage in storages.values())
    if left < needed:
        raise FormatError(
            "the storages are cut off",
            expected=f"at least {needed} bytes after the pickles",
            got=f"{left} bytes",
            hint="download or save the file again",
        )


def _bare(path: Path, pickle: Pickle) -> Facts:
    """A pickle without PyTorch's mark: `torch.load` would still run the code it calls."""
    if not harmful(pickle.imports):
        raise FormatError(
            "the file is a pickle, but not one of PyTorch",
            expected="a zip archive or PyTorch's magic number",
            hint="save the model with torch.save",
        )
    return _facts(path, pickle, [], ("a bare pickle, not saved by PyTorch",))


def _merged(*pickles: Pickle) -> tuple[Global, ...]:
    return tuple(dict.fromkeys(name for pickle in pickles for name in pickle.imports))


def _facts(
    path: Path,
    pickle: Pickle,
    stored: list[Stored],
    notes: tuple[str, ...],
    *,
    trailing: int = 0,
    spans: tuple[Span, ...] = (),
) -> Facts:
    """Facts from what was found; `trailing` are the bytes that stand after the pickle's end."""
    bad = harmful(pickle.imports)
    risks = [Risk("pickle-global", str(name), path.name) for name in bad]
    if trailing:
        risks.append(Risk("pickle-trailing", f"{trailing} bytes after the pickle", path.name))
    tensors = tuple(tensor.info for tensor in stored)
    return Facts(
        format="pytorch",
        framework="pytorch",
        tensors=tensors,
        parameters=value_count(stored),
        code=tuple(str(name) for name in pickle.imports),
        precision=precision_of(tensors),
        unsaid=UNSAID,
        notes=(_kind(pickle.root), *notes),
        risks=(*risks, *author_paths(_sources(pickle.root), path.name)),
        spans={path.name: spans} if spans else {},
    )


def value_count(stored: list[Stored]) -> int:
    """How many values are stored, buffers included, tied tensors once."""
    views = {tensor.view: element_count(tensor.info.shape) for tensor in stored}
    return sum(views.values())


def _kind(root: object) -> str:
    if isinstance(root, Node) and isinstance(root.origin, Global):
        if root.origin in _DICTIONARIES:
            return "a dictionary: the weights without the algorithm"
        if root.origin not in ALLOWED:
            return f"a whole object of class {root.origin}"
    if isinstance(root, Node) and isinstance(root.origin, Persistent):
        return "a whole object with a copy of its source code"
    return "a tensor or a list of tensors"


def _sources(root: object) -> list[str]:
    """The source files that the older layout names for classes: `('module', class, file, text)`."""
    if not (isinstance(root, Node) and isinstance(root.origin, Persistent)):
        return []
    key = root.origin.key
    return [part for part in key if isinstance(part, str)] if isinstance(key, tuple) else []


FORMAT = Format(
    name="pytorch",
    framework="pytorch",
    suffixes=SUFFIXES,
    contexts=("python", "edge", "remote"),
    advantages="Standard model saving format.",
    disadvantages="May not support specialized usage context.",
    claims=claims,
    read=read,
    carries_code=True,
)
