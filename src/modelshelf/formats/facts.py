"""What a reader finds in a file, and what a format says of itself: the values of this room."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelshelf.formats.spans import Span
from modelshelf.package.entry import SEVERITIES, Severity
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


RISKS: dict[str, tuple[Severity, str]] = {
    "author-path": ("note", "a path of the author's own machine"),
    "external-data": ("blocked", "needs a file that is not there"),
    "script": ("note", "source of a program, which opening the file does not run"),
    "python-code": ("code", "Python source that loading runs"),
    "torchscript-code": ("code", "TorchScript source that loading or calling runs"),
    "custom-op": ("code", "an operator that only a library of the publisher's knows"),
    "custom-class": ("code", "a class that only the publisher's code defines"),
    "lambda": ("blocked", "a Python function stored as byte code"),
    "pickle-global": ("blocked", "an import that no allow-list names"),
    "pickle-trailing": ("blocked", "bytes after the end of a pickle"),
    "foreign-import": ("blocked", "an import that is not the framework's own"),
    "evaluated": ("blocked", "text that loading evaluates or calls as Python"),
    "file-op": ("blocked", "an operator that reaches files, the network, Python or the process"),
    "native-code": ("blocked", "machine code"),
    "byte-code": ("blocked", "compiled Python, whose source nobody sees"),
    "yaml-object": ("blocked", "YAML that makes Python objects when it is loaded"),
    "nested-archive": ("blocked", "an archive within the archive"),
    "unreadable": ("blocked", "cannot be read, so nobody knows what it does"),
    "unknown": ("blocked", "of a kind that no reader here knows"),
}
"""Every kind of risk: how much it weighs, and what it is."""


class Risk(msgspec.Struct, frozen=True):
    """Something in a file that a reviewer should see; `file` is the file's name.

    `kind` is one of `RISKS`; `detail` says which import, operator or entry of the archive.
    """

    kind: str
    detail: str
    file: str

    @property
    def severity(self) -> Severity:
        """How much it weighs; an unknown kind counts as blocked."""
        return RISKS[self.kind][0] if self.kind in RISKS else "blocked"


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file says, read from its headers only.

    `signature_known` is False where the format cannot carry a signature; `unsaid` tells, a
    sentence each, what else this file or format cannot say (shapes, names of outputs).
    `parameters` counts the values of all stored tensors, shared ones once. `ops` counts the
    operators of the graph. `code` names what loading would import or run. `precision` is the dtype
    of most values. `companions` are other files that this one refers to, relative to its folder;
    `python_packages` what it says must be installed; `urls` where its code fetches weights.

    `spans` tell where tensors lie, by file (relative to this file's folder, this one by its own
    name), ascending and without overlap; bytes that are packed have none.
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
    precision: str | None = None
    companions: tuple[str, ...] = ()
    python_packages: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    spans: dict[str, tuple[Span, ...]] = {}

    @property
    def severity(self) -> Severity:
        """The weight of the heaviest risk; `note` where there is none."""
        return max((risk.severity for risk in self.risks), key=SEVERITIES.index, default="note")

    @property
    def unsafe(self) -> bool:
        """Whether loading would run anything that is not on an allow-list."""
        return self.severity != "note"


@dataclass(frozen=True, kw_only=True)
class Format:
    """What each module of this room offers as `FORMAT`.

    `framework` made the format (`any` where none did), `suffixes` are lower case with their dot,
    `contexts` the usage contexts an artifact has when its publisher names none (the paper's
    Table 7), `advantages` and `disadvantages` those of its Table 8. `carries_code` is True where
    a file of this format can run code when it is loaded. `claims` decides from the path and the
    first bytes whether to read a file; `read` raises FormatError where bytes break the format.
    `carriers` are the names of files that stand for a whole folder (`saved_model.pb`).
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
    carriers: tuple[str, ...] = ()


def precision_of(tensors: Iterable[TensorInfo]) -> str | None:
    """The dtype that most stored values have; None without tensors."""
    values: Counter[str] = Counter()
    for tensor in tensors:
        values[tensor.dtype] += element_count(tensor.shape)
    return max(values, key=lambda dtype: (values[dtype], dtype)) if values else None


def parameter_count(tensors: Iterable[TensorInfo]) -> int:
    """How many values the tensors have together."""
    return sum(element_count(tensor.shape) for tensor in tensors)


def author_paths(texts: Iterable[str], file: str) -> tuple[Risk, ...]:
    """Absolute paths of the author's machine that stand in `texts` of `file`; each once."""
    found: dict[str, None] = {}
    for text in texts:
        for match in _AUTHOR_PATH.finditer(text):
            found.setdefault(match.group())
            if len(found) >= PATH_COUNT:
                break
    return tuple(Risk("author-path", path, file) for path in list(found)[:PATH_COUNT])
