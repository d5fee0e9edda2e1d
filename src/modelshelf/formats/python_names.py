"""The names that a Python file binds at its top level, in the order in which running would bind them.

Source: the Python language reference, sections 4.2.1 (binding of names) and 7.11 (import).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.python_source import Definition, Source

BLOCK_DEPTH = 20
NAME_COUNT = 20_000
"""Names in one file, those of star imports with them."""

SOMETIMES = "is defined only under a condition"
CHOSEN = "a condition decides which definition counts"

_SCOPES = ("globals", "vars", "locals")


@dataclass(frozen=True)
class Imported:
    """`from module import name`, or the module itself; `level` counts the leading dots."""

    module: str
    name: str | None
    level: int = 0

    def __str__(self) -> str:
        """`from .models`."""
        return f"from {'.' * self.level}{self.module}"


@dataclass(frozen=True)
class Defined:
    """`def` or `class`."""

    node: Definition


@dataclass(frozen=True)
class Assigned:
    """`name = expression`."""

    node: ast.expr


@dataclass(frozen=True)
class Unknown:
    """Only running the file would tell; `why` says what stands there."""

    why: str


Bound = Imported | Defined | Assigned | Unknown
Star = Callable[["Names", Imported], Iterable[str] | str]
"""Tells what `from module import *` brings: names, or why nobody can know."""


@dataclass
class Names:
    """One file: `names` by what they stand for, later bindings winning.

    `conditions` tells of names that a condition decides about; `stars` are imports of everything
    from where nobody can look, and `hidden` the other ways to bind names out of sight.
    """

    path: Path
    source: Source
    names: dict[str, Bound] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    exported: list[str] | None = None
    """`__all__`, where it is written as strings."""

    def public(self) -> list[str]:
        """What `from this import *` brings."""
        if self.exported is not None:
            return self.exported
        return [name for name in self.names if not name.startswith("_")]


def bind(module: Names, star: Star) -> None:
    """Fill `module` from its syntax tree; `star` follows `from x import *`."""
    seen: set[int] = set()
    for step in _steps(module.source.tree.body, BLOCK_DEPTH):
        _Binding(module, star, step, seen).bind()
    module.hidden += list(dict.fromkeys(_hidden(module, seen)))


class _Step(NamedTuple):
    """A statement of the top level; `handler` where an exception must have come first."""

    node: ast.stmt
    condition: bool
    handler: bool


def _steps(
    body: Iterable[ast.stmt], depth: int, *, condition: bool = False, handler: bool = False
) -> Iterator[_Step]:
    """Statements in their order, also those inside blocks."""
    for node in body:
        yield _Step(node, condition, handler)
        if not depth:
            continue
        for block, sometimes, after in _blocks(node):
            yield from _steps(
                block, depth - 1, condition=condition or sometimes, handler=handler or after
            )


def _blocks(node: ast.stmt) -> Iterator[tuple[list[ast.stmt], bool, bool]]:
    """The blocks of a statement: whether only under a condition, whether after an exception."""
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            if _never(test):
                yield orelse, False, False
            else:
                yield body, True, False
                yield orelse, True, False
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            yield body, False, False
            yield orelse, False, False
            for each in handlers:
                yield each.body, True, True
            yield final, False, False
        case ast.With(body=body):
            yield body, False, False
        case ast.For(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
            yield body, True, False
            yield orelse, True, False
        case ast.Match(cases=cases):
            for each_case in cases:
                yield each_case.body, True, False


def _never(test: ast.expr) -> bool:
    """Conditions that are false when the file is imported."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case ast.Constant(value=value):
            return not value
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()]):
            return True
    return False


class _Binding:
    """What one statement binds."""

    def __init__(self, module: Names, star: Star, step: _Step, seen: set[int]) -> None:
        self._module = module
        self._star = star
        self._step = step
        self._seen = seen

    def bind(self) -> None:
        """Bind the names of the statement."""
        match self._step.node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() as node:
                self._put(node.name, Defined(node))
            case ast.ImportFrom(module=origin, names=names, level=level):
                self._imports(origin or "", names, level)
            case ast.Import(names=names):
                for each in names:
                    top = each.name.split(".")[0]
                    whole = each.name if each.asname else top
                    self._put(each.asname or top, Imported(whole, None))
            case ast.For(target=target, iter=values):
                self._loop(target, values)
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        self._module.names.pop(target.id, None)
            case node:
                self._assigned(node)

    def _assigned(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value)
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
                self._export(_texts(value))
            case ast.Expr(value=ast.NamedExpr(target=ast.Name(id=name), value=value)):
                self._put(name, Assigned(value))

    def _put(self, name: str, bound: Bound) -> None:
        module = self._module
        if self._step.handler and name in module.names:
            module.conditions[name] = CHOSEN
            return  # the way without the exception counts
        if self._step.condition:
            module.conditions[name] = CHOSEN if name in module.names else SOMETIMES
        else:
            module.conditions.pop(name, None)
        module.names.pop(name, None)
        module.names[name] = bound
        if len(module.names) > NAME_COUNT:
            raise FormatError("the file binds more names than any real one", where=module.path.name)

    def _imports(self, origin: str, names: list[ast.alias], level: int) -> None:
        for each in names:
            imported = Imported(origin, each.name, level)
            if each.name != "*":
                self._put(each.asname or each.name, imported)
                continue
            brought = self._star(self._module, imported)
            if isinstance(brought, str):
                self._module.stars.append(brought)
                continue
            for name in brought:
                self._put(name, Imported(origin, name, level))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id="__all__"):
                self._module.exported = None
                self._export(_texts(value), afresh=True)
            case ast.Name(id=name):
                self._put(name, Assigned(value))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                self._unpack(parts, value)
            case ast.Subscript(
                value=ast.Call(func=ast.Name(id=scope)), slice=ast.Constant(value=str(name))
            ) if scope in _SCOPES:
                self._seen.add(id(target))
                self._put(name, Assigned(value))

    def _unpack(self, parts: list[ast.expr], value: ast.expr) -> None:
        match value:
            case ast.Tuple(elts=values) | ast.List(elts=values) if len(values) == len(parts):
                for part, each in zip(parts, values, strict=True):
                    if isinstance(part, ast.Name):
                        self._put(part.id, Assigned(each))
            case _:
                for part in parts:
                    if isinstance(part, ast.Name):
                        self._put(part.id, Unknown("unpacked from a value"))

    def _loop(self, target: ast.expr, values: ast.expr) -> None:
        plain = all(isinstance(each, ast.Constant) for each in getattr(values, "elts", [None]))
        counted = isinstance(values, ast.Call) and getattr(values.func, "id", "") == "range"
        for part in getattr(target, "elts", [target]):
            if isinstance(part, ast.Name):
                variable = Unknown("a loop's variable")
                self._put(part.id, Assigned(values) if plain or counted else variable)

    def _export(self, names: list[str] | None, *, afresh: bool = False) -> None:
        module = self._module
        if names is None:
            module.hidden.append("__all__ is computed")
        elif afresh:
            module.exported = names
        elif module.exported is not None:
            module.exported = [*module.exported, *names]


def _texts(value: ast.expr) -> list[str] | None:
    """The strings of a literal list or tuple; None where it is anything else."""
    match value:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            found = [part.value for part in parts if isinstance(part, ast.Constant)]
            texts = [each for each in found if isinstance(each, str)]
            return texts if len(texts) == len(parts) else None
    return None


def _hidden(module: Names, seen: set[int]) -> Iterator[str]:
    """Ways to bind a name that need no name: in any function, since the file may call it."""
    for node in ast.walk(module.source.tree):
        match node:
            case ast.Subscript(value=value, ctx=ast.Store()) if id(node) not in seen:
                if scope := _scope(value):
                    yield f"{scope}[...] on line {node.lineno}"
            case ast.Call():
                if told := _binding_call(node):
                    yield f"{told} on line {node.lineno}"
            case ast.Global(names=names):
                for name in names:
                    if name not in module.names and not name.startswith("_"):
                        yield f"global {name} on line {node.lineno}"
    if "__dir__" in module.names:
        yield "__dir__ is defined"


def _scope(node: ast.expr) -> str | None:
    """`globals()`, `sys.modules`: what holds the names of files."""
    match node:
        case ast.Call(func=ast.Name(id=scope)) if scope in _SCOPES:
            return f"{scope}()"
        case ast.Attribute(attr="modules"):
            return "sys.modules"
    return None


def _binding_call(call: ast.Call) -> str | None:
    """The words for a call that binds names."""
    match call:
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in (
            "update",
            "setdefault",
            "__setitem__",
        ) and _scope(value):
            return f"{_scope(value)}.{method}"
        case ast.Call(func=ast.Name(id="exec")):
            return "exec"
        case ast.Call(func=ast.Name(id="setattr"), args=[ast.Subscript(value=value), *_]) if _scope(
            value
        ):
            return "setattr"
    return None
