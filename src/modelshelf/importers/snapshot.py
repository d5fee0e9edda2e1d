"""A snapshot of a hub's pages: a folder or a `.tar.gz` of one, read as text in sorted order."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from modelshelf.errors import FormatError, NotFound
from modelshelf.store.archive import Broken, Member, members

longest_page_bytes = 4 << 20
"""A longer file is not read: it is accounted for with what is wrong."""
most_files = 200_000
most_bytes = 4 << 30
"""What an archive may unpack to, pages or not."""
most_characters = 400_000_000
"""So long all pages together may be: they are held in memory."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Text(NamedTuple):
    """One file of the snapshot; `wrong` says why it could not be read (then `text` is empty).

    `path` has forward slashes and begins below the folders that everything lies in. Lines end
    in a line feed alone; bytes that are no UTF-8, and control characters,
    became U+FFFD.
    """

    path: str
    text: str
    wrong: str = ""


def texts(place: str, ends: tuple[str, ...] = (".md",)) -> list[Text]:
    """Every file of `place` whose name ends so, by path; the same for a folder and its archive.

    A folder that has one archive and no folders stands for the archive. Hidden files and links
    are left out: what a link names either lies here too, or not in the snapshot. Raises NotFound
    where there is no such place or no such file, FormatError for a broken archive.
    """
    path = _packed(Path(place).expanduser())
    if path.is_dir():
        found = _held(path, _in_folder(path, ends))
    elif path.is_file():
        found = _held(path, _in_archive(path, ends))
    else:
        raise NotFound(
            f"no catalogue at `{place[:200]}`",
            expected="a folder of pages, or a .tar.gz of one",
        )
    if not found:
        raise NotFound(f"`{place[:200]}` holds no page", expected="files " + ", ".join(ends))
    shared = _shared_folders([each.path for each in found])
    return sorted(each._replace(path=each.path[len(shared) :]) for each in found)


def _packed(path: Path) -> Path:
    """The only archive of a folder that has no other folder, as a snapshot is handed on; else it."""
    try:
        inside = [each for each in path.iterdir() if not each.name.startswith(".")]
    except OSError:  # no folder, or none that may be looked into: told when it is read
        return path
    archives = [each for each in inside if each.name.lower().endswith((".tar.gz", ".tgz"))]
    return archives[0] if len(archives) == 1 and not any(map(Path.is_dir, inside)) else path


def _held(path: Path, read: Iterator[Text]) -> list[Text]:
    """What was read, within bounds; of a path that an archive has twice the last one, as unpacked."""
    found: dict[str, Text] = {}
    left = most_characters
    for each in read:
        found[each.path] = each
        left -= len(each.text) + len(each.path)
        if left < 0:
            raise _too_much(path, f"pages of more than {most_characters} characters")
    return list(found.values())


def _in_folder(root: Path, ends: tuple[str, ...]) -> Iterator[Text]:
    left = most_files
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.startswith(".") or not name.lower().endswith(ends):
                continue
            left -= 1
            if left < 0:
                raise _too_much(root, f"more than {most_files} files")
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            yield from _file(path, relative)


def _file(path: Path, relative: str) -> Iterator[Text]:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return
        if status.st_size > longest_page_bytes:
            yield _too_long(relative)
            return
        with path.open("rb") as opened:
            yield Text(_readable(relative), decoded(opened.read(longest_page_bytes)))
    except OSError as error:
        yield Text(_readable(relative), "", f"cannot be read: {error.strerror or 'an error'}")


def _in_archive(path: Path, ends: tuple[str, ...]) -> Iterator[Text]:
    left = most_bytes
    try:
        for number, member in enumerate(members(path)):
            left -= member.size
            if number >= most_files or left < 0:
                raise _too_much(path, f"more than {most_files} files or {most_bytes} bytes")
            if member.plain and _is_wanted(member.name, ends):
                yield _member(member)
    except Broken as error:
        raise FormatError(
            f"`{path.name[:200]}` is no archive that can be read to its end",
            where=str(path),
            expected="a .tar.gz of a folder of pages",
            got=str(error),
        ) from None


def _is_wanted(name: str, ends: tuple[str, ...]) -> bool:
    parts = name.removeprefix("./").split("/")
    return name.lower().endswith(ends) and not any(part[:1] in ("", ".") for part in parts)


def _member(member: Member) -> Text:
    name = member.name.removeprefix("./")
    if member.size > longest_page_bytes:
        return _too_long(name)
    return Text(_readable(name), decoded(member.read(longest_page_bytes)))


def decoded(content: bytes) -> str:
    """Bytes as text that any database and any page can hold; lines end in a line feed alone."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _readable(path: str) -> str:
    """File names may hold bytes that are no text either."""
    return path.encode("utf-8", "replace").decode("utf-8")


def _shared_folders(paths: list[str]) -> str:
    """`"hub-2024/"` where all lie in that folder: an archive and its folder name pages alike."""
    folders = [path.split("/")[:-1] for path in paths]
    shared: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "".join(f"{part}/" for part in shared)


def _too_long(path: str) -> Text:
    return Text(_readable(path), "", f"longer than {longest_page_bytes >> 20} MiB")


def _too_much(path: Path, what: str) -> FormatError:
    return FormatError(f"`{path.name[:200]}` holds {what}", where=str(path))
