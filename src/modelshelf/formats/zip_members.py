"""A zip archive whose every part is looked at: what lies where two readers could see two things.

Source: PKWARE's APPNOTE, sections 4.3 and 4.4. Readers disagree about archives whose directory and
headers disagree, so anything between, before or behind the members is refused.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from modelshelf.errors import FormatError
from modelshelf.formats.unpacked import PIECE_BYTES, Allowance, Unpacked, unpacked
from modelshelf.formats.window import Section, Seekable, Window

DIRECTORY_BYTES = 64 * 1024 * 1024
MEMBER_COUNT = 200_000
CHECKED_BYTES = 64 * 1024 * 1024
"""Stored members up to this size have their CRC checked."""
END_BYTES = 22
END_MARK = b"PK\x05\x06"
LOCAL_MARK = b"PK\x03\x04"

_LOCAL_BYTES = 30
_DESCRIPTOR_BYTES = 24
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
_HIDDEN = 0x1 | 0x40 | 0x2000
"""Flags of members with a password, or with a masked header."""
_PACKINGS = {zipfile.ZIP_DEFLATED: "deflate", zipfile.ZIP_BZIP2: "bzip2"}
_IN_EXTRA_FIELD = 0xFFFF_FFFF


class Members:
    """The members of the archive that a file is, checked for contradictions when it is opened.

    `infos` are by name, folders left out. With `is_behind` it may stand behind something else.

    Raises:
        FormatError: it is no archive, or two readers could see two things in it.

    """

    def __init__(self, file: Seekable, size: int, *, is_behind: bool = False) -> None:
        self._file = file
        self._size = size
        try:
            archive = zipfile.ZipFile(Window(file, allowance=DIRECTORY_BYTES))
        except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
            raise FormatError("the archive is cut off or damaged", got=str(error)[:200]) from error
        infos: list[zipfile.ZipInfo] = archive.infolist()
        if len(infos) > MEMBER_COUNT:
            raise FormatError(f"the archive has more than {MEMBER_COUNT} members")
        _refuse_odd(infos)
        self._starts = {info.header_offset: self._start(info) for info in infos}
        first = min(self._starts, default=0) if is_behind else 0
        self._refuse_gaps(infos, first, archive.start_dir)
        self._refuse_tail(archive)
        self.infos = {info.filename: info for info in infos if not info.is_dir()}

    @contextmanager
    def opened(
        self, name: str, allowance: Allowance, checked_bytes: int = CHECKED_BYTES
    ) -> Iterator[Unpacked]:
        """The content of a member: a section of the file, or a temporary file if it is packed.

        The CRC of a stored member is checked up to `checked_bytes`.
        """
        info = self.infos[name]
        start = self._starts[info.header_offset]
        section = Section(self._file, start, start + info.compress_size)
        if info.compress_type == zipfile.ZIP_STORED:
            yield _stored(section, info, checked_bytes)
            return
        packing = _PACKINGS.get(info.compress_type)
        if packing is None:
            raise FormatError(f"{name[:80]} is packed in an unknown way", got=info.compress_type)
        with unpacked(section, packing, allowance) as content:
            yield _checked(content, info)

    @contextmanager
    def beginning(self, name: str) -> Iterator[Seekable]:
        """The first MiB of a member at least, whatever its size."""
        info = self.infos[name]
        start = self._starts[info.header_offset]
        section = Section(self._file, start, start + info.compress_size)
        packing = _PACKINGS.get(info.compress_type)
        if packing is None:
            yield section
            return
        with unpacked(section, packing, Allowance(PIECE_BYTES)) as content:
            yield content.file

    def span(self, name: str) -> tuple[int, int] | None:
        """Where a member's bytes lie in the file; None where they are packed."""
        info = self.infos[name]
        start = self._starts[info.header_offset]
        is_stored = info.compress_type == zipfile.ZIP_STORED
        return (start, start + info.file_size) if is_stored else None

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Where the member's bytes begin; its own header must say what the directory says."""
        # a directory that lies about its own place puts members before the first byte
        self._file.seek(max(info.header_offset, 0))
        header = self._file.read(_LOCAL_BYTES)
        if (
            info.header_offset < 0
            or len(header) < _LOCAL_BYTES
            or not header.startswith(LOCAL_MARK)
        ):
            raise FormatError(f"{info.filename[:80]} does not lie where the archive says")
        name_bytes, extra_bytes = _number(header[26:28]), _number(header[28:30])
        name = self._file.read(name_bytes)
        flags, method = _number(header[6:8]), _number(header[8:10])
        sizes = (_number(header[18:22]), _number(header[22:26]))
        told = (info.compress_size, info.file_size)
        # Sizes may stand behind the member, or in its extra field where they have 64 bits.
        later = {_IN_EXTRA_FIELD, 0} if flags & _DESCRIPTOR else {_IN_EXTRA_FIELD}
        agree = all(a == b or a in later for a, b in zip(sizes, told, strict=True))
        same = (flags & _ENCRYPTED, method) == (info.flag_bits & _ENCRYPTED, info.compress_type)
        if name != _raw_name(info) or not same or not agree:
            raise FormatError(
                f"{info.filename[:80]}: the archive's directory and the member's header disagree",
                hint="pack the files again",
            )
        return info.header_offset + _LOCAL_BYTES + name_bytes + extra_bytes

    def _refuse_gaps(self, infos: list[zipfile.ZipInfo], first: int, directory: int) -> None:
        """Members must lie one behind the other from the first byte to the directory."""
        at = first
        for info in sorted(infos, key=lambda each: each.header_offset):
            slack = _DESCRIPTOR_BYTES if at > first else 0
            if not at <= info.header_offset <= at + slack:
                raise FormatError(
                    "something stands before or between the archive's members",
                    where=info.filename[:80],
                    expected=f"a member at byte {at}",
                    got=f"byte {info.header_offset}",
                )
            at = self._starts[info.header_offset] + info.compress_size
        if not at <= directory <= at + _DESCRIPTOR_BYTES:
            raise FormatError("something stands between the archive's members and its directory")

    def _refuse_tail(self, archive: zipfile.ZipFile) -> None:
        """The archive must end with the file, without a comment that could hide a second one."""
        self._file.seek(max(self._size - END_BYTES, 0))
        if archive.comment or not self._file.read(END_BYTES).startswith(END_MARK):
            raise FormatError("something stands behind the archive, or in its comment")


def hidden_archive(file: Seekable, size: int) -> bool:
    """Whether a zip archive ends this file: readers of archives look for their end first."""
    tail_bytes = min(size, END_BYTES + 0xFFFF)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(END_MARK)
    while at >= 0:
        place = size - tail_bytes + at
        directory_bytes = _number(tail[at + 12 : at + 16])
        if 0 < directory_bytes <= place:
            file.seek(place - directory_bytes)
            if file.read(4) == b"PK\x01\x02":
                return True
        at = tail.rfind(END_MARK, 0, at)
    return False


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    name = info.orig_filename
    return name.encode("utf-8" if info.flag_bits & _UTF8 else "cp437", "surrogateescape")


def _refuse_odd(infos: list[zipfile.ZipInfo]) -> None:
    """Names that two systems understand in two ways, links, and members with a password."""
    names = {info.filename.lower() for info in infos}
    if len(names) != len(infos):
        raise FormatError("the archive has two members of one name")
    for info in infos:
        parts = info.orig_filename.replace("\\", "/").split("/")
        if info.orig_filename.startswith("/") or ".." in parts or "\0" in info.orig_filename:
            raise FormatError("a member lies outside the archive's folder", got=parts[-1][:80])
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FormatError(f"{info.filename[:80]} is a link")
        if not info.filename or info.filename != info.orig_filename:
            raise FormatError("a member has no name, or two", got=parts[-1][:80])
        if info.is_dir() and info.file_size:
            raise FormatError(f"{info.filename[:80]} is a folder with content of its own")
        if info.flag_bits & _HIDDEN:
            raise FormatError("the archive is encrypted", hint="save it without a password")


def _stored(section: Section, info: zipfile.ZipInfo, checked_bytes: int) -> Unpacked:
    if info.compress_size != info.file_size:
        return Unpacked(section, info.compress_size, 0, "its two sizes disagree")
    if info.file_size > checked_bytes:
        return Unpacked(section, info.file_size, info.CRC)
    crc = 0
    while piece := section.read(1 << 20):
        crc = zlib.crc32(piece, crc)
    section.seek(0)
    return _checked(Unpacked(section, info.file_size, crc), info)


def _checked(content: Unpacked, info: zipfile.ZipInfo) -> Unpacked:
    if content.wrong or (content.size, content.crc) == (info.file_size, info.CRC):
        return content
    wrong = "its CRC or size is not what the archive says"
    return Unpacked(content.file, content.size, content.crc, wrong)
