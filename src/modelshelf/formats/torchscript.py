"""TorchScript: an archive of PyTorch with the model's code in it, in TorchScript's own language.

The code runs when the model is loaded or called, inside TorchScript's interpreter, which is no
sandbox: so the format is unsafe as such. Shapes of inputs are not written in it; names and types
of the arguments are, in the code. Source: `torch/csrc/jit/serialization/export_module.cpp`.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats import archive
from modelshelf.formats.archive import Archive
from modelshelf.formats.facts import Facts, Format, Risk, author_paths, precision_of
from modelshelf.formats.pickled import Budget, Pickle, inspect
from modelshelf.formats.placeholders import Global, Node
from modelshelf.formats.pytorch import (
    ZIP_MARK,
    archive_notes,
    check_storages,
    places,
    value_count,
)
from modelshelf.formats.pytorch_imports import harmful
from modelshelf.formats.spans import Span, disjoint
from modelshelf.formats.stored import Stored, renamed, spans_in, tensors_in
from modelshelf.formats.torchscript_source import methods

CODE_COUNT = 1000
"""How many of its source files are listed."""
TEXT_BYTES = 16 * 1024 * 1024
"""How much source and debugging information is read, all files together."""
TEXT_COUNT = 100_000
TEXT_CHARACTERS = 4096
EXTRA_COUNT = 50
UNSAID = (
    "TorchScript writes names and types of arguments, not the dtypes and shapes of tensors.",
    "Outputs have types, but no names.",
    "The version of PyTorch that wrote it is not in the file.",
)
# BINUNICODE and its length in bytes: lines of source are shorter than 64 KiB.
_PICKLED_TEXT = re.compile(r"X([\s\S]{2}\0\0)")
_PARTS = (("data.pkl", "data/"), ("constants.pkl", "constants/"))


def read(path: Path) -> Facts:
    """Tensors, methods and source files of a TorchScript archive."""
    stored: list[Stored] = []
    pickles: list[Pickle] = []
    spans: list[Span] = []
    budget = Budget()
    with archive.opened(path) as opened:
        if "constants.pkl" not in opened.entries or "data.pkl" not in opened.entries:
            raise FormatError(
                "the archive holds no TorchScript model",
                expected="data.pkl, constants.pkl and code",
                hint="save the model with torch.jit.save, or name the format pytorch",
            )
        for name, folder in _PARTS:
            pickle = inspect(io.BytesIO(opened.read(name)), budget)
            found = tensors_in(pickle.root)
            check_storages(found, opened.entries, folder)
            is_own = name == "data.pkl"
            named = found if is_own else renamed(found, "constants")
            spans += spans_in(named, places(opened, found, folder))
            pickles.append(pickle)
            stored += found if is_own else []
        sources = _read_all(opened, ".py", "utf-8")
        debugging = _read_all(opened, ".debug_pkl", "latin-1")
        notes = (*_methods(pickles[0].root, sources), *archive_notes(opened), *_extras(opened))
    texts = [*sources.values(), *_debugging(debugging)]
    return _facts(path, stored, pickles, sources, notes, texts, disjoint(spans))


def claims(path: Path, head: bytes) -> bool:
    """An archive with constants and a pickle: what `torch.jit.save` writes."""
    return head.startswith(ZIP_MARK) and {"data.pkl", "constants.pkl"} <= archive.entry_names(path)


def _read_all(opened: Archive, ending: str, encoding: str) -> dict[str, str]:
    """Files of code by name; one beyond the allowance, or made to swell, is left empty."""
    found: dict[str, str] = {}
    left = TEXT_BYTES
    for name in sorted(opened.entries):
        if name.startswith("code/") and name.endswith(ending):
            left -= opened.entries[name]
            found[name] = ""
            if left >= 0:
                with contextlib.suppress(FormatError):
                    found[name] = opened.read(name).decode(encoding, "replace")
    return found


def _methods(root: object, sources: dict[str, str]) -> Iterator[str]:
    """The methods of the model's own class, one note each."""
    if not (isinstance(root, Node) and isinstance(root.origin, Global)):
        return
    file = f"code/{root.origin.module.replace('.', '/')}.py"
    for method in methods(sources.get(file, ""), root.origin.name):
        yield f"method {method}"[:1000]


def _extras(opened: Archive) -> Iterator[str]:
    extra = [name for name in sorted(opened.entries) if name.startswith("extra/")]
    yield from (f"extra file {name[:200]}" for name in extra[:EXTRA_COUNT])
    if "bytecode.pkl" in opened.entries:
        yield "with byte code for the interpreter on phones (bytecode.pkl)"


def _debugging(files: dict[str, str]) -> Iterator[str]:
    """The texts in tables of source ranges: the author's files and lines.

    The tables are pickles of many small numbers; their texts are found without reading those.
    """
    for content in files.values():
        for match in itertools.islice(_PICKLED_TEXT.finditer(content), TEXT_COUNT):
            size = int.from_bytes(match.group(1).encode("latin-1"), "little")
            raw = content[match.end() : match.end() + min(size, TEXT_CHARACTERS)]
            yield raw.encode("latin-1").decode("utf-8", "replace")


def _foreign(imports: list[Global]) -> list[Global]:
    """Imports that are neither PyTorch's nor classes of the archive's own code."""
    own = ("__torch__", "torch.jit._pickle")
    foreign = harmful(tuple(dict.fromkeys(imports)))
    return [
        name for name in foreign if not f"{name.module}.".startswith(tuple(f"{o}." for o in own))
    ]


def _facts(
    path: Path,
    stored: list[Stored],
    pickles: list[Pickle],
    sources: dict[str, str],
    notes: tuple[str, ...],
    texts: list[str],
    spans: tuple[Span, ...],
) -> Facts:
    imports = [name for pickle in pickles for name in pickle.imports]
    foreign = _foreign(imports)
    native = [
        name
        for name in dict.fromkeys(imports)
        if name.module.startswith("__torch__.torch.classes.")
    ]
    tensors = tuple(tensor.info for tensor in stored)
    return Facts(
        format="torchscript",
        framework="pytorch",
        tensors=tensors,
        parameters=value_count(stored),
        code=(*map(str, foreign), *list(sources)[:CODE_COUNT]),
        precision=precision_of(tensors),
        unsaid=UNSAID,
        notes=(f"{len(sources)} source files of TorchScript", *notes),
        risks=(
            Risk("torchscript-code", f"{len(sources)} source files", path.name),
            *(Risk("custom-class", str(name), path.name) for name in native),
            *(Risk("pickle-global", str(name), path.name) for name in foreign),
            *author_paths(texts, path.name),
        ),
        spans={path.name: spans} if spans else {},
    )


FORMAT = Format(
    name="torchscript",
    framework="pytorch",
    suffixes=(".pt", ".pth", ".ts", ".torchscript", ".ptl"),
    contexts=("python", "other-language"),
    advantages="Can be used in multiple languages.",
    disadvantages="Inappropriate for internal model deployments.",
    claims=claims,
    read=read,
    carries_code=True,
)
