"""The hub's handles, `acme/vision/digits/3`, and the addresses that it showed them at."""

from __future__ import annotations

import re
from typing import NamedTuple

HUB = "https://tfhub.dev/"

_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)
_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?tfhub\.dev/([A-Za-z0-9_.~+/-]{1,400})")
_SHELVES = {"lite-model", "tfjs-model", "coral-model"}
"""Folders behind the publisher in the address of a deployment, which its handle does not have."""


class Handle(NamedTuple):
    """A handle in its two parts; `version` is None where the hub gave none."""

    name: str
    version: int | None


def parted(handle: str) -> Handle:
    """The name and the version of a handle."""
    name, _, last = handle.rpartition("/")
    if name and _VERSION.fullmatch(last):
        return Handle(name, int(last))
    return Handle(handle, None)


def linked(text: str) -> list[str]:
    """Every handle whose address stands in the text, in order, each once."""
    found = (_of_address(match[1]) for match in _ADDRESS.finditer(text))
    return list(dict.fromkeys(handle for handle in found if "/" in handle))


def _of_address(path: str) -> str:
    parts = [part for part in path.rstrip(".").split("/") if part]
    if len(parts) > 2 and parts[1] in _SHELVES:
        del parts[1]
    return "/".join(parts)
