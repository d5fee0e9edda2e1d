"""Paths of files inside a package: relative, plain, the same on every system."""

from __future__ import annotations

import re
import unicodedata

longest_path_bytes = 512
longest_segment_bytes = 255  # what most file systems take
ENTRY = ".release.json"
"""Where a shelf describes the release that lies beside: no file of a package may be in its place."""
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
# control characters, those that turn the direction of writing, and what Windows keeps for itself
_FORBIDDEN = re.compile(
    r'[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069<>:"|?*\\]'
)


def unsafe_path(path: str) -> str | None:
    """Why `path` must not be written below a folder of the user, or None where it may.

    Refused are absolute paths, `..`, empty and dot segments, backslashes, drive letters and other
    characters or device names that some file system treats specially, and unnormalised Unicode.
    """
    if not path or path.startswith("/"):
        return "it must be relative to the package's folder"
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if len(encoded) > longest_path_bytes:
        return f"it is longer than {longest_path_bytes} bytes"
    if _FORBIDDEN.search(path) or unicodedata.normalize("NFC", path) != path:
        return "it holds a character that not every system can store"
    if path.partition("/")[0].casefold() == ENTRY:
        return f"`{ENTRY}` is the shelf's own file"
    return next((wrong for part in path.split("/") if (wrong := _unsafe_part(part))), None)


def _unsafe_part(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "it must not have empty, `.` or `..` segments"
    if part != part.rstrip(". ") or part != part.lstrip():
        return "a segment must not begin with a blank or end with a dot or blank"
    if len(part.encode()) > longest_segment_bytes:
        return f"a segment is longer than {longest_segment_bytes} bytes"
    if _DEVICE.fullmatch(part):
        return f"`{part}` is a device on some systems"
    return None


def colliding(paths: list[str]) -> list[tuple[str, str]]:
    """Pairs that cannot lie in one folder everywhere: equal but for case, or file against folder."""
    seen: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for path in sorted(paths, key=lambda each: (each.casefold(), each)):
        key = path.casefold()
        parents = [key[:cut] for cut in range(len(key)) if key[cut] == "/"]
        taken = next((seen[other] for other in (key, *parents) if other in seen), None)
        if taken is not None:
            pairs.append((taken, path))
        seen.setdefault(key, path)
    return pairs
