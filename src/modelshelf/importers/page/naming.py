"""A hub's handles → names by our rules; each handle gets one that no other has.

names(["acme/some_dir/Some_Model", "acme/some-dir/some-model"])
{"acme/some_dir/Some_Model": "acme/some-dir-some-model-3f1c",
 "acme/some-dir/some-model": "acme/some-dir-some-model"}
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from modelshelf.package.name import RESERVED, images, longest_part_characters

_NOT_OURS = re.compile(r"[^a-z0-9]+")
_suffix_characters = 4


def slug(text: str) -> str:
    """`"Some_Model V2.1"` → `"some-model-v2-1"`, cut at the longest that a name may be.

    What was cut is told apart by a suffix; a text without any letter or digit is `unnamed`.
    """
    made = _NOT_OURS.sub("-", text.lower()).strip("-")
    if len(made) > longest_part_characters:
        return _with_suffix(made, text)
    return made or f"unnamed-{_digest(text)}"


def publisher(handle: str) -> str:
    """The publisher of a handle by our rules; a reserved one gets a suffix."""
    made = slug(handle.partition("/")[0])
    return f"{made}-hub" if made in RESERVED else made


def package(handle: str) -> str:
    """The name of a package by our rules, whatever other packages there are."""
    owner, _, rest = handle.partition("/")
    return f"{publisher(owner)}/{slug(rest)}"


def names(handles: Iterable[str]) -> dict[str, str]:
    """The name of each handle (without its version), no two alike in any ecosystem.

    Of several handles with one name, the one that is spelled like it keeps it, else the first
    in order; the others get a suffix made of their handle, so that it stays theirs.
    """
    given: dict[str, str] = {}
    taken: set[str] = set()
    for handle in sorted(set(handles), key=lambda each: (package(each) != each, each)):
        name = next(each for each in _spellings(handle) if not taken & _everywhere(each))
        taken |= _everywhere(name)
        given[handle] = name
    return given


def _spellings(handle: str) -> Iterator[str]:
    """The name of a handle, then names with longer and longer suffixes."""
    name = package(handle)
    yield name
    owner, _, rest = name.partition("/")
    for characters in (_suffix_characters, 2 * _suffix_characters, 8 * _suffix_characters):
        yield f"{owner}/{_with_suffix(rest, handle, characters)}"


def _everywhere(name: str) -> set[str]:
    return set(images(name).values())


def _with_suffix(made: str, text: str, characters: int = _suffix_characters) -> str:
    kept = made[: longest_part_characters - characters - 1].rstrip("-")
    return f"{kept}-{_digest(text, characters)}"


def _digest(text: str, characters: int = _suffix_characters) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:characters]
