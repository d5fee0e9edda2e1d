"""hubconf.py of PyTorch Hub: its entrypoints and dependencies, read from the syntax tree.

`torch.hub` imports the file and takes every public callable in it; here nothing is imported.
What only running the file could tell is listed as unresolved, not guessed.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from modelshelf.errors import FormatError
from modelshelf.formats.facts import Facts, Format, Risk, author_paths
from modelshelf.formats.python_source import Function, Source, statements
from modelshelf.package.record import Entrypoint, Parameter

FILE_COUNT = 64
"""How many files of the folder are opened to follow re-exports."""
FOLLOW_DEPTH = 8

# `name (type): what it is`, as Google's and PyTorch's docstrings list arguments.
_DESCRIBED = re.compile(r"\*{0,2}(\w{1,100})\s{0,4}(?:\([^()]{0,200}\))?\s{0,4}:\s+(\S.*)")


class HubConf(msgspec.Struct, frozen=True):
    """What a hubconf.py offers; `unresolved` are names that only running it would explain."""

    entrypoints: dict[str, Entrypoint]
    dependencies: tuple[str, ...]
    unresolved: tuple[str, ...]


def read_entrypoints(path: Path) -> HubConf:
    """The public callables of the `hubconf.py` at `path`, following imports within its folder.

    Raises:
        FormatError: the file is too large, not UTF-8 or Latin-1, or not Python.

    """
    folder = _Folder(path.parent.resolve())
    module = folder.opened(path)
    entrypoints: dict[str, Entrypoint] = {}
    unresolved: dict[str, None] = dict.fromkeys(module.stars)
    for name, bound in module.names.items():
        if name.startswith("_"):
            continue
        found = folder.resolved(bound, module, FOLLOW_DEPTH)
        if isinstance(found, Function):
            entrypoints[name] = _entrypoint(found, path.name)
        elif found is not None:
            unresolved.setdefault(f"{name} ({found})")
    return HubConf(entrypoints, module.dependencies, tuple(unresolved))


def read(path: Path) -> Facts:
    """The same as facts; unsafe, because loading an entrypoint runs the publisher's code."""
    conf = read_entrypoints(path)
    return Facts(
        format="pytorch-hub",
        framework="pytorch",
        entrypoints=conf.entrypoints,
        code=(path.name, *(f"requires {name}" for name in conf.dependencies)),
        python_packages=conf.dependencies,
        unsaid=tuple(f"{name}: only running the file would tell" for name in conf.unresolved),
        risks=(
            Risk("python-code", "loading an entrypoint runs this file", path.name),
            *author_paths([Source.opened(path).text], path.name),
        ),
    )


def claims(path: Path, head: bytes) -> bool:  # noqa: ARG001  the protocol's
    """By its name alone: `torch.hub` knows no other."""
    return path.name == "hubconf.py"


@dataclass(frozen=True)
class _Import:
    """`from module import name`; `level` counts the leading dots."""

    module: str
    name: str
    level: int


@dataclass(frozen=True)
class _Alias:
    """Another name of a name: `this = name`."""

    name: str


_Bound = Function | _Import | _Alias | str | None
"""What a name stands for: the text says why it cannot be told; None is no callable."""


@dataclass
class _Module:
    """The names that one file binds at its top level; later bindings win."""

    path: Path
    names: dict[str, _Bound] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    dependencies: tuple[str, ...] = ()


class _Folder:
    """The files beside hubconf.py, each parsed once; a file outside is never opened."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[Path, _Module] = {}

    def opened(self, path: Path) -> _Module:
        if path not in self._modules:
            self._modules[path] = _module(path)
        return self._modules[path]

    def resolved(self, bound: _Bound, module: _Module, depth: int) -> Function | str | None:
        """Follow aliases and imports to a definition, or say why that is not possible."""
        if isinstance(bound, (_Alias, _Import)) and depth == 0:
            return "followed too far"
        if isinstance(bound, _Alias):
            return self.resolved(module.names.get(bound.name), module, depth - 1)
        if isinstance(bound, _Import):
            return self._imported(bound, module, depth)
        return bound

    def _imported(self, bound: _Import, module: _Module, depth: int) -> Function | str | None:
        if not bound.level and bound.module.split(".")[0] in sys.stdlib_module_names:
            return None
        told = f"from {'.' * bound.level}{bound.module}"
        if not (bound.level or self._is_here(bound.module.split(".")[0])):
            return told
        file = self._file(bound, module)
        if file is None or (file not in self._modules and len(self._modules) >= FILE_COUNT):
            return told
        try:
            other = self.opened(file)
        except FormatError as error:
            return f"{told}: {error.message}"
        if bound.name in other.names:
            return self.resolved(other.names[bound.name], other, depth - 1)
        return told if other.stars else None

    def _file(self, bound: _Import, module: _Module) -> Path | None:
        """The file of a module, if it lies in the folder and is no link out of it."""
        start = self._root
        if bound.level:
            start = module.path.resolve().parent
            for _ in range(bound.level - 1):
                start = start.parent
        base = start.joinpath(*filter(None, bound.module.split(".")))
        for candidate in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            file = candidate.resolve()
            if file.is_file() and file.is_relative_to(self._root):
                return file
        return None

    def _is_here(self, name: str) -> bool:
        return (self._root / name).is_dir() or (self._root / f"{name}.py").is_file()


def _module(path: Path) -> _Module:
    source = Source.opened(path)
    module = _Module(path)
    for statement in statements(source.tree.body):
        _bind(statement, source, module)
    return module


def _bind(statement: ast.stmt, source: Source, module: _Module) -> None:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            module.names[statement.name] = source.function(statement)
        case ast.ImportFrom(module=origin, names=names, level=level):
            _bind_imports(origin or "", names, level, module)
        case ast.Import(names=names):
            module.names |= dict.fromkeys(name.asname or name.name.split(".")[0] for name in names)
        case ast.Assign(targets=targets, value=value):
            _assign(targets, value, module)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _assign([target], value, module)
        case ast.Delete(targets=targets):
            for name in _names(targets):
                module.names.pop(name, None)


def _bind_imports(origin: str, names: list[ast.alias], level: int, module: _Module) -> None:
    for name in names:
        if name.name == "*":
            module.stars.append(f"* (from {'.' * level}{origin})")
        else:
            module.names[name.asname or name.name] = _Import(origin, name.name, level)


def _assign(targets: list[ast.expr], value: ast.expr, module: _Module) -> None:
    for name in _names(targets):
        if name == "dependencies":
            module.dependencies = _texts(value)
        module.names[name] = _assigned(value)


def _names(targets: list[ast.expr]) -> list[str]:
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _assigned(value: ast.expr) -> _Bound:
    match value:
        case ast.Name(id=name):
            return _Alias(name)
        case ast.Lambda():
            return "a lambda"
        case ast.Call(func=ast.Name(id="partial") | ast.Attribute(attr="partial")):
            return "functools.partial"
        case ast.Attribute(attr=attribute):
            return f"an attribute named {attribute}"
    return None


def _texts(value: ast.expr) -> tuple[str, ...]:
    """The strings of a literal list or tuple."""
    parts = value.elts if isinstance(value, (ast.List, ast.Tuple)) else []
    return tuple(
        part.value
        for part in parts
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def _entrypoint(function: Function, file: str) -> Entrypoint:
    lines = [line.strip() for line in function.docstring.splitlines()]
    said: dict[str, str] = {
        match[1]: match[2] for match in map(_DESCRIBED.fullmatch, lines) if match is not None
    }
    parameters = tuple(
        Parameter(part.name, part.type, part.default, said.get(part.name.lstrip("*")))
        for part in function.parameters
    )
    first = next((line for line in lines if line), None)
    return Entrypoint(file=file, parameters=parameters, description=first)


FORMAT = Format(
    name="pytorch-hub",
    framework="pytorch",
    suffixes=(".py",),
    contexts=("python",),
    advantages="The algorithm comes with the weights, and a callable builds the model.",
    disadvantages="Loading runs the publisher's code; weights and code are stored separately.",
    claims=claims,
    read=read,
    carries_code=True,
)
