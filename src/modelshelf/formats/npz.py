"""NumPy's `.npz` and `.npy`: arrays by name, each with its header; arrays of objects are pickles.

Source: `numpy/lib/_npyio_impl.py` (a zip archive of `.npy` files). Nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    TensorInfo,
    parameter_count,
    precision_of,
)
from modelshelf.formats.numpy_header import MAGIC, Header, check_size, header_of
from modelshelf.formats.pickle_streams import pickle_risks
from modelshelf.formats.spans import Span, disjoint
from modelshelf.formats.unpacked import Allowance
from modelshelf.formats.window import Section, Seekable
from modelshelf.formats.zip_members import LOCAL_MARK, Members

SUFFIX = ".npy"
ARRAY_COUNT = 100_000
OBJECT_BYTES = 64 * 1024 * 1024
"""The largest array of objects looked through."""
UNSAID = (
    "Named arrays say nothing of inputs, outputs or the algorithm.",
    "The version of NumPy that wrote it is not in the file.",
)


def read(path: Path) -> Facts:
    """The arrays of a `.npz` archive, or the one of a `.npy` file, which has no name."""
    with path.open("rb") as file:
        is_archive = file.read(4) == LOCAL_MARK
        size = path.stat().st_size
        return _archive(path, file, size) if is_archive else _single(path, file, size)


def claims(path: Path, head: bytes) -> bool:
    """NumPy's mark, or an archive named `.npz`."""
    return head.startswith(MAGIC) or (path.suffix.lower() == ".npz" and head.startswith(LOCAL_MARK))


def array_risks(file: Seekable, size: int, header: Header, name: str) -> Iterator[Risk]:
    """What an array of Python objects would import; nothing for plain numbers."""
    if header.value_bytes is None:
        if size > OBJECT_BYTES:
            yield Risk("unreadable", "an array of objects, too large to look through", name)
            return
        inner = Section(file, header.start, size)
        yield from pickle_risks(inner, size - header.start, name)


def _single(path: Path, file: Seekable, size: int) -> Facts:
    header = header_of(file)
    check_size(header, size)
    risks = tuple(array_risks(file, size, header, path.name))
    spans = [Span(header.start, size, header.dtype, "array")] if header.data_bytes else []
    return _facts(path, {"array": header}, risks, spans)


def _archive(path: Path, file: Seekable, size: int) -> Facts:
    members = Members(file, size)
    if len(members.infos) > ARRAY_COUNT:
        raise FormatError(f"the archive has more than {ARRAY_COUNT} arrays")
    headers: dict[str, Header] = {}
    risks: list[Risk] = []
    spans: list[Span] = []
    for name in members.infos:
        if not name.endswith(SUFFIX):
            risks.append(Risk("unknown", f"{name[:200]} is no array", path.name))
            continue
        header = _header(members, name)
        array = name.removesuffix(SUFFIX)
        headers[array] = header
        risks += _member_risks(members, name, header, path.name)
        place = members.span(name)
        if place and header.data_bytes:
            spans.append(Span(place[0] + header.start, place[1], header.dtype, array))
    return _facts(path, headers, tuple(risks), spans)


def _header(members: Members, name: str) -> Header:
    """The header of a member; of a packed one only its beginning is unpacked."""
    info = members.infos[name]
    with members.beginning(name) as file:
        header = header_of(file)
    check_size(header, info.file_size)
    return header


def _member_risks(members: Members, name: str, header: Header, file: str) -> list[Risk]:
    if header.value_bytes is not None:
        return []
    if members.infos[name].file_size > OBJECT_BYTES:
        return [Risk("unreadable", f"{name[:200]}: objects, too many to look through", file)]
    with members.opened(name, Allowance(OBJECT_BYTES)) as content:
        risks = list(array_risks(content.file, content.size, header, file))
        if content.wrong:
            risks.append(Risk("unreadable", f"{name[:200]}: {content.wrong}", file))
    return risks


def _facts(
    path: Path, headers: dict[str, Header], risks: tuple[Risk, ...], spans: list[Span]
) -> Facts:
    tensors = tuple(TensorInfo(name, each.dtype, each.shape) for name, each in headers.items())
    objects = [name for name, each in headers.items() if each.value_bytes is None]
    return Facts(
        format="npz",
        framework="numpy",
        tensors=tensors,
        parameters=parameter_count(tensors),
        code=tuple(risk.detail for risk in risks if risk.kind == "pickle-global"),
        precision=precision_of(tensors),
        unsaid=UNSAID,
        notes=tuple(f"{name[:200]} holds Python objects: a pickle" for name in objects[:20]),
        risks=risks,
        spans={path.name: disjoint(spans)} if spans else {},
    )


FORMAT = Format(
    name="npz",
    framework="numpy",
    suffixes=(".npz", ".npy"),
    contexts=("python",),
    advantages="Plain arrays by name, read by NumPy alone.",
    disadvantages="Carries neither the algorithm nor a signature; arrays of objects are pickles.",
    claims=claims,
    read=read,
)
