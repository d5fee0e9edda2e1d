"""What a reader finds in a file, and what a format says of itself: the values of this room."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelshelf.package.record import Entrypoint
from modelshelf.package.signature import Signature, element_count

PATH_COUNT = 20
"""How many of an author's paths are shown at most: one is enough to warn."""

# A folder that only exists on somebody's own machine, as exporters leave it in stack traces.
_AUTHOR_PATH = re.compile(
    r"(?<![\w.])(?:/(?:home|Users|root|mnt|data|workspace|content|opt|tmp)/|[A-Za-z]:[\\/])[\w.\-\\/+@]{1,200}"
)


class TensorInfo(msgspec.Struct, frozen=True):
    """One array that a file stores; `dtype` is a word of `package.signature.DTYPES` if it can be."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Risk(msgspec.Struct, frozen=True):
    """Something in a file that a reviewer should see; `file` is the file's name.

    Kinds: `pickle-global` (would be imported by unpickling), `pickle-trailing` (bytes after the
    pickle), `python-code`, `torchscript-code` (run when loaded), `custom-op` (needs a library),
    `external-data` (points to a file that is not there).
    """

    kind: str
    detail: str
    file: str


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file says, read from its headers only.

    `signature_known` is False where the format cannot carry a signature. `parameters` counts the
    values of all stored tensors, shared ones once. `code` names what loading would import or
    run; `unsafe` is True where any of it is not on the format's allow-list. `precision` is the
    dtype of most values. `companions` are other files that this one refers to, relative to it;
    `python_packages` what it says must be installed.
    """

    format: str
    framework: str
    framework_version: str | None = None
    tensors: tuple[TensorInfo, ...] = ()
    signatures: dict[str, Signature] = {}
    signature_known: bool = False
    entrypoints: dict[str, Entrypoint] = {}
    parameters: int | None = None
    ops: dict[str, int] = {}
    opset: int | None = None
    code: tuple[str, ...] = ()
    unsafe: bool = False
    precision: str | None = None
    companions: tuple[str, ...] = ()
    python_packages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Format:
    """What each module of this room offers as `FORMAT`.

    `framework` made the format (`any` where none did), `suffixes` are lower case with their dot,
    `contexts` the usage contexts an artifact has when its publisher names none (the paper's
    Table 7), `advantages` and `disadvantages` those of its Table 8. `carries_code` is True where
    a file of this format can run code when it is loaded. `claims` decides from the path and the
    first bytes whether to read a file; `read` raises FormatError where bytes break the format.
    """

    name: str
    framework: str
    suffixes: tuple[str, ...]
    contexts: tuple[str, ...]
    advantages: str
    disadvantages: str
    claims: Callable[[Path, bytes], bool]
    read: Callable[[Path], Facts]
    carries_code: bool = False


def precision_of(tensors: Iterable[TensorInfo]) -> str | None:
    """The dtype that most stored values have; None without tensors."""
    values: Counter[str] = Counter()
    for tensor in tensors:
        values[tensor.dtype] += element_count(tensor.shape)
    return max(values, key=lambda dtype: (values[dtype], dtype)) if values else None


def parameter_count(tensors: Iterable[TensorInfo]) -> int:
    """How many values the tensors have together."""
    return sum(element_count(tensor.shape) for tensor in tensors)


def author_paths(texts: Iterable[str]) -> tuple[str, ...]:
    """Absolute paths of the author's machine that stand in `texts`, as notes; each once."""
    found: dict[str, None] = {}
    for text in texts:
        for match in _AUTHOR_PATH.finditer(text):
            found.setdefault(f"holds a path of the author's machine: {match.group()}")
            if len(found) >= PATH_COUNT:
                return tuple(found)
    return tuple(found)
