"""What the bytes of a file would do to whoever loads them, whatever the file is called.

Front door: `content_risks` for a file of its own, `raw_risks` for the values that another file
refers to. An allow-list: what is not known to be harmless is told as `unknown`. What a reader says
of a format (`Facts.risks`) comes on top.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats import sniff
from modelshelf.formats.facts import Risk
from modelshelf.formats.npz import array_risks
from modelshelf.formats.numpy_header import MAGIC, check_size, header_of
from modelshelf.formats.pickle_streams import Judge, pickle_risks, plain_risks
from modelshelf.formats.placeholders import Global
from modelshelf.formats.pytorch_imports import harmful
from modelshelf.formats.unpacked import Allowance, packing_of, unpacked
from modelshelf.formats.window import Seekable
from modelshelf.formats.zip_members import CHECKED_BYTES, LOCAL_MARK, Members, hidden_archive

DEPTH = 3
"""Archives and compressed files within each other, at most."""
RISK_COUNT = 200
"""How many risks of one file are told."""
WITH_ARCHIVE = frozenset({"tflite"})
"""Formats whose files may end with an archive: TensorFlow Lite keeps labels and vocabularies there."""
RAW_CHECKED_BYTES = 1 << 20
"""Larger values of tensors are not read only to check their CRC."""
VOCABULARY_BYTES = 32 * 1024 * 1024

_NOTHING = re.compile(r"(?!)")


class Parts(NamedTuple):
    """What the members of a format's archive may be beside what any file may be.

    `raw` are values or what the format's reader has looked into, `archives` are looked into with
    the parts of the format `inner`.
    """

    raw: re.Pattern[str] = _NOTHING
    archives: re.Pattern[str] = _NOTHING
    inner: str | None = None


# By the format that a reader claimed the archive for; the names are those of its writer.
_STORAGES = r"(?:data|constants|tensors|\.data)/[^/]+"
PARTS = {
    "pytorch": Parts(re.compile(rf"[^/]+/{_STORAGES}")),
    "torchscript": Parts(re.compile(rf"[^/]+/(?:{_STORAGES}|code/.+\.py)")),
    "torch-export": Parts(
        re.compile(
            r"(?:[^/]+/)?(?:data/(?:weights|constants)/(?:weight|tensor)_[^/]+|\.data/[^/]+)"
        ),
        re.compile(
            r"(?:[^/]+/)?(?:serialized_\w+\.pt|data/(?:sample_inputs|constants|weights)/[^/]+)"
        ),
        "pytorch",
    ),
    "keras": Parts(re.compile(r"[^/]*\.weights\.h5|assets/.+")),
    "skops": Parts(re.compile(r"[\w-]+\.bin"), re.compile(r"[\w-]+\.npz"), "npz"),
}
_SCRIPTS_OWN = frozenset(
    Global("torch.jit._pickle", name)
    for name in (
        "build_intlist", "build_tensorlist", "build_doublelist", "build_boollist",
        "build_tensor_from_id", "restore_type_tag",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where the bytes lie: the release's file, the name in it, the format of what holds them."""

    file: str
    name: str
    format: str | None = None
    depth: int = 0
    allowance: Allowance = field(default_factory=Allowance)

    def risk(self, kind: str, detail: str) -> Risk:
        """A risk here; a member is told by its name."""
        where = "" if self.name == self.file else f"{self.name[:200]}: "
        return Risk(kind, f"{where}{detail}", self.file)

    def inside(self, name: str, held: str | None) -> Place:
        """A member's place, one level deeper."""
        return Place(self.file, name, held, self.depth + 1, self.allowance)

    @property
    def judge(self) -> Judge:
        """Which imports of a pickle here are harmful: a TorchScript names its own classes."""
        return _scripts_judge if self.format == "torchscript" else harmful


def content_risks(file: Seekable, size: int, place: Place) -> tuple[Risk, ...]:
    """Everything that is wrong with a file, or a member of one."""
    return tuple(itertools.islice(_told(_content(file, size, place), place), RISK_COUNT))


def raw_risks(file: Seekable, size: int, place: Place) -> tuple[Risk, ...]:
    """What is wrong with bytes that another file vouches for: values of tensors."""
    return tuple(itertools.islice(_told(_values(file, size, place), place), RISK_COUNT))


def _told(risks: Iterator[Risk], place: Place) -> Iterator[Risk]:
    """The same, where an error is one more risk."""
    try:
        yield from risks
    except FormatError as error:
        yield place.risk("unreadable", error.message)
    except Exception as error:  # noqa: BLE001  hostile bytes must never be more than a finding
        yield place.risk("unreadable", f"{type(error).__name__}: {str(error)[:200]}")


def _content(file: Seekable, size: int, place: Place) -> Iterator[Risk]:
    head = _head(file, size)
    if size == 0:
        return
    if head.startswith(LOCAL_MARK):
        yield from _members(file, size, place)
    elif head.startswith(MAGIC):
        header = header_of(file)
        check_size(header, size)
        yield from _placed(array_risks(file, size, header, place.file), place)
        yield from _hidden(file, size, place)
    elif head[:1] == b"\x80":
        yield from _placed(pickle_risks(file, size, place.file, place.judge), place)
        yield from _hidden(file, size, place)
    else:
        yield from _other(file, size, head, place)


def _other(file: Seekable, size: int, head: bytes, place: Place) -> Iterator[Risk]:
    """A file that has neither the mark of an archive nor that of a pickle."""
    yield from _raw(file, size, place)
    if sniff.native_code(head) or sniff.byte_code(head) or sniff.archive_kind(head):
        return
    suffix = sniff.suffix_of(place.name)
    if sniff.is_text(file, size):
        yield from _text(file, size, head, place)
    elif suffix in sniff.NATIVE_SUFFIXES:
        yield place.risk("native-code", f"named {suffix}")
    elif suffix in sniff.BYTE_CODE_SUFFIXES:
        yield place.risk("byte-code", f"named {suffix}")
    elif packing := packing_of(head):
        yield from _packed(file, packing, place)
    elif not (sniff.harmless(head) or _is_vocabulary(file, size)):
        risks = pickle_risks(file, size, place.file, place.judge)
        # Protocols 0 and 1 have no mark of their own.
        yield from [place.risk("unknown", f"begins with {head[:8].hex()}")] if risks else []


def _text(file: Seekable, size: int, head: bytes, place: Place) -> Iterator[Risk]:
    if sniff.suffix_of(place.name) in sniff.SCRIPT_SUFFIXES or head.startswith(b"#!"):
        yield place.risk("script", "a program as text")
    if sniff.builds_objects(file, size, place.name):
        yield place.risk("yaml-object", "a tag of YAML that builds an object of Python")
    yield from _unpacked_quietly(file, head, place)


def _unpacked_quietly(file: Seekable, head: bytes, place: Place) -> Iterator[Risk]:
    """What joblib would load: it unpacks whatever begins so, and the two bytes may be anything."""
    if packing := packing_of(head):
        with unpacked(file, packing, place.allowance) as content:
            yield from _placed(
                plain_risks(content.file, content.size, place.file, place.judge), place
            )


def _values(file: Seekable, size: int, place: Place) -> Iterator[Risk]:
    """Values of tensors, or what a reader has understood as something else than a pickle."""
    yield from _raw(file, size, place)
    yield from _unpacked_quietly(file, _head(file, size), place)


def _raw(file: Seekable, size: int, place: Place) -> Iterator[Risk]:
    """What no values of tensors are, either by chance or on purpose."""
    head = _head(file, size)
    yield from _placed(plain_risks(file, size, place.file, place.judge), place)
    if kind := sniff.native_code(head):
        yield place.risk("native-code", kind)
    if sniff.byte_code(head):
        yield place.risk("byte-code", "compiled Python")
    if kind := sniff.archive_kind(head):
        yield place.risk("nested-archive" if place.depth else "unknown", f"an archive of {kind}")
    if head.startswith(sniff.HDF5) and not place.depth and place.format is None:
        yield place.risk("unknown", "HDF5, which may hold a model with functions")
    if head.startswith(LOCAL_MARK):
        yield place.risk("nested-archive", "a zip archive where values should be")
    else:
        yield from _hidden(file, size, place)


def _hidden(file: Seekable, size: int, place: Place) -> Iterator[Risk]:
    if not hidden_archive(file, size):
        return
    if place.format in WITH_ARCHIVE:
        yield from _members(file, size, place, is_behind=True)
    else:
        yield place.risk("nested-archive", "a zip archive at the end of something else")


def _packed(file: Seekable, packing: str, place: Place) -> Iterator[Risk]:
    """A compressed file: what is in it, as far as it could be unpacked."""
    if place.depth >= DEPTH:
        yield place.risk("nested-archive", "compressed more often than anybody needs")
        return
    with unpacked(file, packing, place.allowance) as content:
        if content.wrong:
            yield place.risk("unreadable", content.wrong)
        if _head(content.file, content.size).startswith(LOCAL_MARK):
            yield place.risk("nested-archive", f"a zip archive packed by {packing}")
        inner = place.inside(place.name.removesuffix(sniff.suffix_of(place.name)), None)
        yield from _content(content.file, content.size, inner)


def _members(file: Seekable, size: int, place: Place, *, is_behind: bool = False) -> Iterator[Risk]:
    """Every member of an archive in its turn."""
    parts = PARTS.get(place.format or "", Parts())
    members = Members(file, size, is_behind=is_behind)
    for name in members.infos:
        inner = place.inside(name, place.format)
        if not _is_plain_array(members, name):
            yield from _told(_member(members, name, parts, inner), inner)


def _member(members: Members, name: str, parts: Parts, place: Place) -> Iterator[Risk]:
    is_raw = bool(parts.raw.fullmatch(name))
    checked_bytes = RAW_CHECKED_BYTES if is_raw else CHECKED_BYTES
    with members.opened(name, place.allowance, checked_bytes) as content:
        if content.wrong:
            yield place.risk("unreadable", content.wrong)
        if is_raw:
            yield from _values(content.file, content.size, place)
            return
        if _head(content.file, content.size).startswith(LOCAL_MARK):
            if place.depth > DEPTH or not parts.archives.fullmatch(name):
                yield place.risk("nested-archive", "a zip archive")
            place = replace(place, format=parts.inner)
        if place.depth <= DEPTH:
            yield from _content(content.file, content.size, place)


def _is_plain_array(members: Members, name: str) -> bool:
    """Whether a member is an array of numbers, of which nothing but its header need be read."""
    if not name.endswith(".npy"):
        return False
    try:
        with members.beginning(name) as file:
            header = header_of(file)
        check_size(header, members.infos[name].file_size)
    except FormatError:
        return False
    return header.value_bytes is not None


def _placed(risks: Iterator[Risk] | tuple[Risk, ...], place: Place) -> Iterator[Risk]:
    return (place.risk(risk.kind, risk.detail) for risk in risks)


def _head(file: Seekable, size: int) -> bytes:
    file.seek(0)
    return file.read(min(size, sniff.HEAD_BYTES))


def _is_vocabulary(file: Seekable, size: int) -> bool:
    if size > VOCABULARY_BYTES:
        return False
    file.seek(0)
    return sniff.is_vocabulary(file.read(size))


def _scripts_judge(imports: tuple[Global, ...]) -> tuple[Global, ...]:
    return tuple(
        name
        for name in harmful(imports)
        if not f"{name.module}.".startswith("__torch__.") and name not in _SCRIPTS_OWN
    )
