"""Everything a folder offers: its modules, plus installed entry points of the same name.

A room that can be extended is a package of modules that each define one constant (`FORMAT`,
`CHECK`, `COMMAND`, `RUNNER`, `API`, ...). Adding one is adding a file. Other distributions add
theirs under the entry-point group `modelshelf.<room>`.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def module_names(room: str) -> list[str]:
    """Names of the public modules in package `room` (dotted), sorted, without importing them."""
    package = importlib.import_module(room)
    return sorted(
        info.name
        for info in pkgutil.iter_modules(package.__path__)
        if not info.name.startswith("_")
    )


def offered(room: str, constant: str, names: Collection[str] | None = None) -> Iterator[object]:
    """Yield `constant` of every module in `room` that defines it, then of every entry point.

    Order: modules by name, then entry points of the group named like `room`, by name. Where
    `names` are given, no other module is imported.
    """
    for name in module_names(room):
        if names is not None and name not in names:
            continue
        module = importlib.import_module(f"{room}.{name}")
        if hasattr(module, constant):
            yield getattr(module, constant)
    for point in sorted(entry_points(group=room), key=lambda point: point.name):
        yield point.load()
