"""How a callable is called: the arguments of functions, classes and partial functions, and doubts.

The answers are those of `inspect.signature`, without the objects that it asks.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, replace

from modelshelf.formats.python_folder import KEEPING, Callable, Folder, Found, Outside, Partial
from modelshelf.formats.python_names import Names
from modelshelf.formats.python_source import Argument, Definition, Function

CLASS_DEPTH = 16
DOCSTRING_CHARACTERS = 20_000
_ANYTHING = (Argument("*args", None, "()", "rest"), Argument("**kwargs", None, "{}", "options"))
_BARE = {"typing.Generic", "typing.Protocol", "abc.ABC"}
_FIELDS = ("dataclasses.dataclass",)
_Functions = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Called:
    """A callable as its caller sees it; each of `doubts` ends the sentence that begins with its name."""

    function: Function
    doubts: tuple[str, ...] = ()


def called(folder: Folder, found: Callable | Partial) -> Called | str:
    """How `found` is called, or why that cannot be told."""
    if isinstance(found, Partial):
        target = called(folder, found.target)
        return target if isinstance(target, str) else _applied(target, found)
    node, module = found.node, found.module
    if isinstance(node, ast.Lambda):
        return Called(Function("lambda", module.source.arguments(node.args), ""))
    docstring = _docstring(folder, node)
    doubts = _decorated(folder, node, module)
    if isinstance(node, ast.ClassDef):
        arguments, more = _built(folder, found, CLASS_DEPTH)
        return Called(Function(node.name, arguments, docstring), (*doubts, *more))
    return Called(Function(node.name, module.source.arguments(node.args), docstring), doubts)


def _docstring(folder: Folder, node: Definition) -> str:
    """The docstring, cut; empty where others have taken all the time."""
    text = (ast.get_docstring(node, clean=False) or "")[:DOCSTRING_CHARACTERS]
    return inspect.cleandoc(text) if folder.spend(len(text) // 10) else ""


def _built(
    folder: Folder, found: Callable, depth: int
) -> tuple[tuple[Argument, ...], tuple[str, ...]]:
    """The arguments that build an instance: those of the nearest `__init__` or `__new__`."""
    node, module = found.node, found.module
    assert isinstance(node, ast.ClassDef)
    for name in ("__init__", "__new__"):
        made = [each for each in node.body if isinstance(each, _Functions) and each.name == name]
        if made:
            doubts = _decorated(folder, made[-1], module)
            return module.source.arguments(made[-1].args)[1:], doubts
    if any(_is_dataclass(folder, each, module) for each in node.decorator_list):
        doubts = ("has fields of classes that it builds on",) if node.bases else ()
        return _fields(node, module), doubts
    for base in node.bases:
        arguments, doubts = _inherited(folder, folder.valued(base, module), depth)
        if arguments or doubts:
            return arguments, doubts
    if any(each.arg == "metaclass" for each in node.keywords):
        return (), ("is built by a class of classes, which may take other arguments",)
    return (), ()


def _inherited(
    folder: Folder, parent: Found, depth: int
) -> tuple[tuple[Argument, ...], tuple[str, ...]]:
    """The arguments of a class that another builds on; none where it adds none."""
    match parent:
        case Callable(node=ast.ClassDef()) if depth:
            return _built(folder, parent, depth - 1)
        case Outside(dotted="torch.nn.Module" | "torch.nn.modules.Module"):
            return tuple(replace(each, type="Any") for each in _ANYTHING), ()
        case Outside(dotted=dotted) if dotted not in _BARE:
            return _ANYTHING, (f"is built as {dotted} is, which is not in this folder",)
        case str() | Callable() | Partial():
            return _ANYTHING, ("is built as a class is that cannot be found",)
    return (), ()


def _is_dataclass(folder: Folder, decorator: ast.expr, module: Names) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    found = folder.valued(function, module)
    return isinstance(found, Outside) and found.dotted in _FIELDS


def _fields(node: ast.ClassDef, module: Names) -> tuple[Argument, ...]:
    """The fields of a dataclass: annotated names of its body."""
    found = []
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=value):
                text = module.source.segment(kind) or ""
                said = _field(value)
                left_out = isinstance(said["init"], ast.Constant) and not said["init"].value
                if "ClassVar" not in text and not left_out:
                    default = module.source.segment(said["default"])
                    found.append(Argument(name, text, default))
    return tuple(found)


def _field(value: ast.expr | None) -> dict[str, ast.expr | None]:
    """The default of a field, and its `init`: False where it is no argument."""
    match value:
        case ast.Call(func=ast.Name(id="field") | ast.Attribute(attr="field"), keywords=keywords):
            said = {each.arg: each.value for each in keywords}
            default = said.get("default") or said.get("default_factory")
            return {"default": default, "init": said.get("init")}
    return {"default": value, "init": None}


def _applied(target: Called, partial: Partial) -> Called | str:
    """The arguments that are left: `functools.partial` as `inspect.signature` shows it."""
    call, source = partial.call, partial.module.source
    arguments = target.function.parameters
    places = [each for each in arguments if each.kind in ("positional", "either")]
    count = len(call.args) - 1
    if count > len(places) and not any(each.kind == "rest" for each in arguments):
        return "functools.partial with more arguments than the function takes"
    gone = {each.name for each in places[:count]}
    left = [each for each in arguments if each.name not in gone]
    values = {each.arg: source.segment(each.value) for each in call.keywords if each.arg}
    names = {each.name for each in left if each.kind in ("either", "named")}
    if not values.keys() <= names and not any(each.kind == "options" for each in left):
        return "functools.partial with an argument that the function does not take"
    return replace(target, function=replace(target.function, parameters=_moved(left, values)))


def _moved(arguments: list[Argument], values: dict[str, str | None]) -> tuple[Argument, ...]:
    """An argument given by name gets a default; from there on all are given by name only."""
    kept: list[Argument] = []
    moved: list[Argument] = []
    for each in arguments:
        given = replace(each, default=values.get(each.name, each.default))
        if each.kind == "either" and (moved or each.name in values):
            moved.append(replace(given, kind="named"))
        elif not moved:
            kept.append(given)
        elif each.kind != "rest":
            moved.append(given)
    return (*kept, *moved)


def _decorated(folder: Folder, node: Definition, module: Names) -> tuple[str, ...]:
    """A doubt for each decorator that may change the arguments."""
    return tuple(
        f"has a decorator, {(module.source.segment(each) or '')[:80]}, that may change its arguments"
        for each in node.decorator_list
        if not _keeps(folder, each, module, is_class=isinstance(node, ast.ClassDef))
    )


def _keeps(folder: Folder, decorator: ast.expr, module: Names, *, is_class: bool) -> bool:
    with_arguments = isinstance(decorator, ast.Call)
    found = folder.valued(decorator.func if isinstance(decorator, ast.Call) else decorator, module)
    match found:
        case Outside(dotted=dotted):
            return dotted in KEEPING or (is_class and dotted in _FIELDS)
        case Callable(node=ast.FunctionDef() as node, module=where):
            inner = _inner(node)
            if not with_arguments:
                return _passes(folder, node, where)
            returned = _returned(folder, node)
            return bool(returned) and all(
                isinstance(each, ast.Name)
                and each.id in inner
                and _passes(folder, inner[each.id], where)
                for each in returned
            )
        case None:
            return isinstance(decorator, ast.Name) and decorator.id in ("staticmethod", "property")
    return False


def _passes(folder: Folder, node: ast.FunctionDef, module: Names) -> bool:
    """Whether a decorator gives its argument back, or a wrapper that `functools.wraps` it."""
    if not node.args.args:
        return False
    argument = node.args.args[0].arg
    inner = _inner(node)
    returned = _returned(folder, node)
    return bool(returned) and all(
        isinstance(each, ast.Name)
        and (each.id == argument or _wraps(folder, inner.get(each.id), argument, module))
        for each in returned
    )


def _wraps(folder: Folder, node: ast.FunctionDef | None, argument: str, module: Names) -> bool:
    for each in node.decorator_list if node else ():
        match each:
            case ast.Call(func=function, args=[ast.Name(id=name), *_]) if name == argument:
                found = folder.valued(function, module)
                return isinstance(found, Outside) and found.dotted == "functools.wraps"
    return False


def _inner(node: ast.FunctionDef) -> dict[str, ast.FunctionDef]:
    return {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}


def _returned(folder: Folder, node: ast.FunctionDef) -> list[ast.expr | None]:
    """What the function gives back, those within it left out."""
    found: list[ast.expr | None] = []
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        if not folder.spend():
            return []
        each = waiting.pop()
        if isinstance(each, ast.Return):
            found.append(each.value)
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(each)
    return found
