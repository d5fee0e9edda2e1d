"""Handles: what other hubs call their releases, however people write them down.

bare("https://hub.example/acme/some_model/3?format=compressed")  # acme/some_model/3
spelled("tfhub:acme/some_model/3")                               # ("tfhub", "acme/some_model/3")

A text that names neither a hub nor an address is a name of a package here.
"""

from __future__ import annotations

import re
import unicodedata

import msgspec

ANY = "any"
"""In place of a hub: whichever knows the handle."""
longest_handle_characters = 512

_UNSEEN = ("Cf", "Cc", "Cs")
_ADDRESS = re.compile(r"https?:/{1,2}[^/?#\s]{1,300}/?")
_HUB = re.compile(r"([a-z][a-z0-9-]{0,31}):(?!//)(.+)")
_VERSION = re.compile(r"(.+)/(\d{1,9})")


class Resolved(msgspec.Struct, frozen=True):
    """Where a handle leads: a package of a registry, its release, and the address of its page.

    A handle without a version leads to the release that `install` takes. `hub` and `handle` are as
    they were found.
    """

    package: str
    version: str
    url: str
    hub: str
    handle: str


def bare(text: str) -> str:
    """The handle in `text`: without address, query, slashes around it and invisible characters.

    Empty for what is none.
    """
    seen = "".join(
        each for each in text[:2000].strip() if unicodedata.category(each) not in _UNSEEN
    )
    if address := _ADDRESS.match(seen):
        seen = re.split(r"[?#]", seen[address.end() :], maxsplit=1)[0]
    seen = seen.strip("/ ")
    return seen if len(seen) <= longest_handle_characters else ""


def versionless(handle: str) -> str:
    """`acme/some_model/3` → `acme/some_model`: what the hub calls the package; others stay."""
    found = _VERSION.fullmatch(handle)
    return found[1] if found else handle


def spelled(text: str) -> tuple[str, str] | None:
    """The hub and the handle that `text` means, None where it is a name of a package here.

    A handle stands behind its hub (`tfhub:acme/some_model/3`), or is an address.
    """
    if named := _HUB.fullmatch(text):
        return named[1], bare(named[2])
    return (ANY, bare(text)) if _ADDRESS.match(text) else None
