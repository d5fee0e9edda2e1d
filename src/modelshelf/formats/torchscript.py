"""TorchScript: an archive of PyTorch with the model's code in it, in TorchScript's own language.

The code runs when the model is loaded or called, inside TorchScript's interpreter, which is no
sandbox: so the format is unsafe as such. Shapes of inputs are not written in it.
"""

from __future__ import annotations

import io
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats import archive
from modelshelf.formats.facts import Facts, Format, Risk, precision_of
from modelshelf.formats.pickled import Budget, inspect
from modelshelf.formats.placeholders import Global
from modelshelf.formats.pytorch import ZIP_MARK, check_storages, value_count
from modelshelf.formats.pytorch_imports import harmful
from modelshelf.formats.stored import Stored, tensors_in

CODE_COUNT = 1000
"""How many of its source files are listed."""
_PARTS = (("data.pkl", "data/"), ("constants.pkl", "constants/"))


def read(path: Path) -> Facts:
    """Tensors and source files of a TorchScript archive."""
    stored: list[Stored] = []
    imports: list[Global] = []
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
            imports += pickle.imports
            stored += found if name == "data.pkl" else []
        entries = sorted(opened.entries)
    return _facts(path, stored, _foreign(imports), [e for e in entries if e.startswith("code/")])


def claims(path: Path, head: bytes) -> bool:
    """An archive with constants and a pickle: what `torch.jit.save` writes."""
    return head.startswith(ZIP_MARK) and {"data.pkl", "constants.pkl"} <= archive.entry_names(path)


def _foreign(imports: list[Global]) -> list[Global]:
    """Imports that are neither PyTorch's nor classes of the archive's own code."""
    own = ("__torch__", "torch.jit._pickle")
    foreign = harmful(tuple(dict.fromkeys(imports)))
    return [
        name for name in foreign if not f"{name.module}.".startswith(tuple(f"{o}." for o in own))
    ]


def _facts(path: Path, stored: list[Stored], foreign: list[Global], files: list[str]) -> Facts:
    sources = [name for name in files if name.endswith(".py")]
    tensors = tuple(tensor.info for tensor in stored)
    return Facts(
        format="torchscript",
        framework="pytorch",
        tensors=tensors,
        parameters=value_count(stored),
        code=(*map(str, foreign), *sources[:CODE_COUNT]),
        precision=precision_of(tensors),
        notes=(f"{len(sources)} source files of TorchScript",),
        risks=(
            Risk("torchscript-code", f"{len(sources)} source files", path.name),
            *(Risk("pickle-global", str(name), path.name) for name in foreign),
        ),
    )


FORMAT = Format(
    name="torchscript",
    framework="pytorch",
    suffixes=(".pt", ".pth", ".ts", ".torchscript"),
    contexts=("python", "other-language"),
    advantages="Can be used in multiple languages.",
    disadvantages="Inappropriate for internal model deployments.",
    claims=claims,
    read=read,
    carries_code=True,
)
