"""What stands for the objects of a pickle that is only looked at: inert, never called or compared."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Global:
    """A module's attribute that the unpickler would import."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Persistent:
    """An object that lies outside the pickle: in PyTorch's files a storage."""

    key: object


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """An object that the unpickler would make: `origin` called with `arguments`, then filled.

    `items` were appended or added, `pairs` set by key, `states` given to `__setstate__`.
    """

    origin: object
    arguments: tuple[object, ...] = ()
    items: list[object] = field(default_factory=list)
    pairs: list[tuple[object, object]] = field(default_factory=list)
    states: list[object] = field(default_factory=list)


DICT = Global("builtins", "dict")
SET = Global("builtins", "set")
FROZENSET = Global("builtins", "frozenset")
