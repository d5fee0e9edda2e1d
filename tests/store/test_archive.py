"""Archives of strangers: what is plain comes out, and no archive costs more than it may."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest

from modelshelf.store.archive import Broken, is_archive, members

PAX = b"11 path=ab\n".ljust(512, b"\0")
END = bytes(1024)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def sparse() -> bytes:
    """A map of holes that never ends."""
    block = bytearray(header("a.md", 0, tarfile.GNUTYPE_SPARSE))
    block[482] = 1
    block[148:156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))
    return bytes(block) + (b"00000000001\0" * 42 + b"\1" + bytes(7)) * 200


GOOD = header("a.md", 3) + b"one".ljust(512, b"\0")
BOMB = bytes(1 << 20)
HOSTILE = {
    "pax": header("x", 1 << 20, tarfile.XHDTYPE) + BOMB + GOOD + END,
    "global": header("x", 1 << 20, tarfile.XGLTYPE) + BOMB + GOOD + END,
    "name": header("x", 1 << 20, tarfile.GNUTYPE_LONGNAME) + BOMB + GOOD + END,
    "pax in a row": (header("x", 512, tarfile.XHDTYPE) + PAX) * 2000 + GOOD + END,
    "globals": (header("x", 512, tarfile.XGLTYPE) + PAX + GOOD) * 200 + END,
    "sparse": sparse() + END,
    "minus": header("a.md", -512) + END,
    "damaged": GOOD + GOOD[:100] + b"?" * 412 + END,
    "text": b"no archive",
    "nothing": b"",
}


def written(folder: Path, content: bytes, *, packed: bool = True) -> Path:
    path = folder / "archive"
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    return path


@pytest.mark.parametrize("packed", [True, False])
def test_members_come_in_their_order(tmp_path: Path, *, packed: bool) -> None:
    link = header("b.md", 0, tarfile.SYMTYPE)
    path = written(tmp_path, GOOD + link + header("c", 0) + END, packed=packed)
    found = [(each.name, each.plain, each.read(9)) for each in members(path)]
    assert found == [("a.md", True, b"one"), ("b.md", False, b""), ("c", True, b"")]
    assert is_archive(path)


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_costs_too_much_is_broken(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Broken):
        list(members(written(tmp_path, content)))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_what_was_cut_off_is_never_taken_for_whole(tmp_path: Path, share: float) -> None:
    content = gzip.compress(GOOD * 50 + END)
    path = tmp_path / "archive"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(Broken):
        list(members(path))


def test_a_member_that_was_cut_off_is_broken_when_it_is_read(tmp_path: Path) -> None:
    member = next(members(written(tmp_path, header("a.md", 5000) + b"cut")))
    with pytest.raises(Broken):
        member.read(5000)
