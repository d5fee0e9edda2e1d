"""Pairs of contracts from one base and small patches: pointers (RFC 6901) and their new values.

`null` removes, `-` after a list appends.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from modelshelf.checks.contract import Contract
from modelshelf.package.entry import Level

FOLDER = Path(__file__).parent
Patch = dict[str, Any]


class Fixture(msgspec.Struct, forbid_unknown_fields=True):
    """`new` makes of `old` something in which exactly `finds` are found; `silent` not this lint."""

    new: Patch
    finds: list[str]
    level: Level
    silent: Patch
    old: Patch = {}


@cache
def fixtures() -> dict[str, Fixture]:
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Fixture)
        for path in sorted(FOLDER.glob("*.json"))
        if path.stem != "base"
    }


@cache
def _base() -> Any:
    return json.loads((FOLDER / "base.json").read_text(encoding="utf-8"))


def patched(*patches: Patch) -> Contract:
    """The base with `patches` applied in their order."""
    document = copy.deepcopy(_base())
    for pointer, value in (item for patch in patches for item in patch.items()):
        _set(document, steps(pointer), copy.deepcopy(value))
    return msgspec.convert(document, Contract, builtin_types=())


def steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _set(document: Any, path: list[str], value: Any) -> None:
    *way, last = path
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document.setdefault(step, {})  # fmt: skip
    if isinstance(document, list):
        if last == "-":
            document.append(value)
        elif value is None:
            del document[int(last)]
        else:
            document[int(last)] = value
    elif value is None:
        document.pop(last, None)
    else:
        document[last] = value


def places(patches: Iterable[Mapping[str, Any]]) -> set[tuple[str, ...]]:
    """What patches touch: a removal from a list touches the whole list."""
    found = set()
    for pointer, value in (item for patch in patches for item in patch.items()):
        path = steps(pointer)
        gone = value is None and path[-1].isdigit()
        found.add(tuple(path[:-1] if gone else path))
    return found
