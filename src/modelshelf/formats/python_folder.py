"""A folder of Python files as an importer would see it: a name is followed to what defines it.

Nothing is imported, and no file outside the folder is opened. Source: the Python language
reference, section 5 (the import system), with the folder first on the path.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.python_names import Assigned, Bound, Defined, Imported, Names, Unknown, bind
from modelshelf.formats.python_source import Definition, Marks, Source

FILE_COUNT = 64
"""How many files of the folder are opened to follow re-exports."""
FOLLOW_DEPTH = 24
STAR_COUNT = 20_000
"""Names that all star imports bring together."""
STEP_COUNT = 100_000
"""Names and expressions followed in all: a file can be written so that they multiply."""

TOOLS = sys.stdlib_module_names | {"torch", "numpy", "typing_extensions"}
"""Packages whose functions are tools of the file that imports them, not models it offers."""


@dataclass(frozen=True)
class Callable:
    """A function, class or lambda, and the file in whose names its words are to be understood."""

    node: Definition | ast.Lambda
    module: Names


@dataclass(frozen=True)
class Partial:
    """`functools.partial(target, ...)`."""

    target: Callable | Partial
    call: ast.Call
    module: Names


@dataclass(frozen=True)
class Outside:
    """Something of another distribution: `torchvision.models.resnet18`."""

    dotted: str

    @property
    def tool(self) -> bool:
        """Whether it is of Python itself or of the framework."""
        return self.dotted.split(".")[0] in TOOLS


@dataclass(frozen=True)
class Value:
    """An expression that is no callable, where it stands."""

    node: ast.expr
    module: Names


Found = Callable | Partial | Outside | Names | Value | str | None
"""What a name leads to: text says why nobody can tell without running; None is a builtin or nothing."""


class Folder:
    """The files of one folder, each parsed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.marks = Marks()
        self._modules: dict[Path, Names] = {}
        self._brought = 0
        self._steps = STEP_COUNT

    def spend(self, steps: int = 1) -> bool:
        """Whether there are steps left to follow anything."""
        self._steps -= steps
        return self._steps >= 0

    def opened(self, path: Path) -> Names:
        """The names of a file; those of a file that is being read, as far as it is read."""
        if path not in self._modules:
            if len(self._modules) >= FILE_COUNT:
                raise FormatError(f"more than {FILE_COUNT} files")
            module = Names(path, Source.opened(path, self.marks))
            self._modules[path] = module
            bind(module, self._star)
        return self._modules[path]

    def followed(self, bound: Bound | None, module: Names, depth: int = FOLLOW_DEPTH) -> Found:
        """What `bound`, a name of `module`, leads to."""
        if depth <= 0 or not self.spend():
            return "followed too far"
        match bound:
            case Defined(node=node):
                return Callable(node, module)
            case Assigned(node=node):
                return self.valued(node, module, depth - 1)
            case Imported():
                return self._imported(bound, module, depth - 1)
            case Unknown(why=why):
                return why
        return None

    def named(self, name: str, module: Names, depth: int = FOLLOW_DEPTH) -> Found:
        """What a name in `module` leads to; None where it is a builtin or unbound."""
        if name not in module.names and module.stars:
            return module.stars[0]
        return self.followed(module.names.get(name), module, depth)

    def valued(self, node: ast.expr, module: Names, depth: int = FOLLOW_DEPTH) -> Found:
        """What an expression of `module` gives."""
        if depth <= 0 or not self.spend():
            return "followed too far"
        match node:
            case ast.Name(id=name):
                return self.named(name, module, depth - 1)
            case ast.Attribute(value=value, attr=name):
                return self._member(self.valued(value, module, depth - 1), name, depth)
            case ast.Lambda():
                return Callable(node, module)
            case ast.NamedExpr(value=value):
                return self.valued(value, module, depth - 1)
            case ast.IfExp(body=first, orelse=second):
                return self._chosen([first, second], module, depth)
            case ast.BoolOp(values=values):
                return self._chosen(values, module, depth)
            case ast.Subscript(value=value, slice=key):
                return self._item(self.valued(value, module, depth - 1), key, depth)
            case ast.Call():
                return self._called(node, module, depth)
        return Value(node, module)

    def _chosen(self, values: list[ast.expr], module: Names, depth: int) -> Found:
        """One of several, nobody knows which."""
        found = [self.valued(each, module, depth // 2) for each in values[:8]]
        plain = all(isinstance(each, Value) or each is None for each in found)
        return found[0] if plain else "a condition decides what it is"

    def _item(self, base: Found, key: ast.expr, depth: int) -> Found:
        match base, key:
            case Value(node=ast.Dict(keys=keys, values=values), module=module), ast.Constant():
                for each, value in zip(keys, values, strict=True):
                    if not self.spend():
                        return "followed too far"
                    if isinstance(each, ast.Constant) and each.value == key.value:
                        return self.valued(value, module, depth - 1)
            case Value(node=ast.Constant() | ast.JoinedStr()), _:
                return base
            case Outside(tool=True), _:
                return base
        return "an item of a collection"

    def _member(self, base: Found, name: str, depth: int) -> Found:
        match base:
            case Names():
                return self._of_module(base, name, f"from {_dotted(self.root, base)}", depth)
            case Outside(dotted=dotted):
                return Outside(f"{dotted}.{name}")
            case Callable() | Partial():
                return f"an attribute named {name}"
            case Value(node=ast.Dict() | ast.DictComp() | ast.Call()) if name in _TAKING:
                return "an item of a collection"
        return base

    def _called(self, call: ast.Call, module: Names, depth: int) -> Found:
        """What calling gives: a partial function, a value of Python's own, or nobody knows."""
        made = self.valued(call.func, module, depth - 1)
        match made:
            case Outside(dotted="functools.partial"):
                return self._partial(call, module, depth)
            case Outside(dotted=dotted) if dotted in KEEPING and len(call.args) == 1:
                return self.valued(call.args[0], module, depth - 1)
            case Outside(dotted=dotted, tool=tool):
                return (
                    Value(call, module) if tool and not _makes(dotted) else f"what {dotted} gives"
                )
            case Callable(node=ast.ClassDef(name=name) as node):
                plain = not node.bases and "__call__" not in _methods(node)
                return Value(call, module) if plain else f"an instance of {name}"
            case Callable(node=ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name)):
                return f"what {name} gives"
            case Callable() | Partial():
                return "what a function gives"
            case None if isinstance(call.func, ast.Name):
                making = call.func.id in ("getattr", "eval", "type", "__import__", "next")
                return f"what {call.func.id} gives" if making else Value(call, module)
            case Names():
                return None
        return made

    def _partial(self, call: ast.Call, module: Names, depth: int) -> Found:
        plain = call.args and not any(isinstance(each, ast.Starred) for each in call.args)
        if not plain or any(each.arg is None for each in call.keywords):
            return "functools.partial"
        target = self.valued(call.args[0], module, depth - 1)
        if isinstance(target, (Callable, Partial)):
            return Partial(target, call, module)
        return "functools.partial of something that is not here"

    def _imported(self, bound: Imported, module: Names, depth: int) -> Found:
        top = bound.module.split(".")[0]
        here = bool(bound.level) or self._is_here(top)
        if not here:
            return Outside(".".join(filter(None, (bound.module, bound.name))))
        if not bound.level and top in TOOLS:
            return f"{bound}, a name of this folder and of another package"
        if bound.name is None:
            return self._module(bound, module) or str(bound)
        other = self._module(Imported(bound.module, None, bound.level), module)
        if isinstance(other, Names):
            return self._of_module(other, bound.name, str(bound), depth)
        if other is not None:
            return other
        # a folder without __init__.py can still hold the module that is named
        below = Imported(f"{bound.module}.{bound.name}".strip("."), None, bound.level)
        return self._module(below, module) or str(bound)

    def _of_module(self, module: Names, name: str, told: str, depth: int) -> Found:
        """A name of a file, or a file of a package."""
        if name in module.names:
            return self.followed(module.names[name], module, depth - 1)
        if module.path.name == "__init__.py":
            found = self._file(module.path.parent / name)
            if found is not None:
                return self._opened(found, told)
        if module.stars or module.hidden or "__getattr__" in module.names:
            return told
        return f"{told}, which does not define it"

    def _module(self, bound: Imported, module: Names) -> Names | str | None:
        """The file of a module, None where there is none."""
        start = self.root
        if bound.level:
            start = module.path.resolve().parent
            for _ in range(bound.level - 1):
                start = start.parent
        base = start.joinpath(*filter(None, bound.module.split(".")))
        file = self._file(base)
        return None if file is None else self._opened(file, str(bound))

    def _opened(self, file: Path, told: str) -> Names | str:
        try:
            return self.opened(file)
        except FormatError as error:
            return f"{told}: {error.message}"

    def _file(self, base: Path) -> Path | None:
        """The file of a package or module, if it lies in the folder and is no link out of it."""
        for candidate in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            try:
                file = candidate.resolve()
                if file.is_file() and file.is_relative_to(self.root):
                    return file
            except (OSError, RuntimeError):  # links in a circle, a name too long for a file
                continue
        return None

    def _is_here(self, name: str) -> bool:
        try:
            return (self.root / name).is_dir() or (self.root / f"{name}.py").is_file()
        except OSError:  # a name too long for a file
            return False

    def _star(self, module: Names, bound: Imported) -> list[str] | str:
        """The names that `from x import *` brings; why nobody can tell, where it is not here."""
        told = f"* ({bound})"
        top = bound.module.split(".")[0]
        if not bound.level and not self._is_here(top):
            return [] if top in TOOLS else told
        other = self._module(Imported(bound.module, None, bound.level), module)
        if not isinstance(other, Names):
            return f"* ({other})" if other else told
        module.stars += other.stars
        module.hidden += other.hidden
        names = other.public()
        self._brought += len(names)
        return told if self._brought > STAR_COUNT else names


KEEPING = {
    "functools.lru_cache", "functools.cache", "functools.singledispatch", "functools.wraps",
    "torch.no_grad", "torch.enable_grad", "torch.inference_mode", "torch.set_grad_enabled",
    "torch.jit.ignore", "torch.jit.unused", "torch.jit.export", "torch.compiler.disable",
    "typing.no_type_check", "typing.final", "typing.overload", "contextlib.contextmanager",
    "abc.abstractmethod", "typing_extensions.deprecated", "warnings.deprecated", "atexit.register",
    "functools.total_ordering", "enum.unique", "typing.runtime_checkable",
}  # fmt: skip
"""Decorators that keep the arguments of what they decorate (`inspect.signature` follows them)."""


_TAKING = ("get", "pop", "setdefault", "popitem", "__getitem__")


def _makes(dotted: str) -> bool:
    """Whether calling this tool may give a callable."""
    return dotted.startswith(("torch.nn", "torch.jit", "torch.fx", "functools.", "operator.")) or (
        dotted
        in {
            "torch.compile", "torch.load", "torch.hub.load", "torch.export.load", "types.FunctionType",
            "collections.namedtuple", "typing.NamedTuple", "typing.NewType", "enum.Enum",
            "dataclasses.make_dataclass", "importlib.import_module", "types.SimpleNamespace",
        }
    )  # fmt: skip


def _methods(node: ast.ClassDef) -> set[str]:
    return {each.name for each in node.body if isinstance(each, ast.FunctionDef)}


def _dotted(root: Path, module: Names) -> str:
    parts = module.path.resolve().relative_to(root).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")
