"""hubconf.py of PyTorch Hub: its entrypoints and dependencies, read from the syntax tree.

`torch.hub` imports the file and takes every public callable in it; here nothing is imported.
What only running the file could tell is listed as unresolved, not guessed. Names that are tools of
Python or of the framework (`from functools import partial`) are not entrypoints of the publisher.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec

from modelshelf.errors import FormatError
from modelshelf.formats.facts import Facts, Format, Risk, author_paths
from modelshelf.formats.python_callables import Called, called
from modelshelf.formats.python_folder import Callable, Folder, Found, Outside, Partial
from modelshelf.formats.python_names import Assigned, Imported, Names
from modelshelf.formats.weight_urls import Weights
from modelshelf.package.record import Entrypoint, Parameter

# `name (type): what it is`, as Google's and PyTorch's docstrings list arguments.
_DESCRIBED = re.compile(r"\*{0,2}(\w{1,100})\s{0,4}(?:\([^()]{0,200}\))?\s{0,4}:\s+(\S.*)")

TEXT_CHARACTERS = 1_000_000
"""Names, types, defaults and descriptions of the arguments of all entrypoints."""
DESCRIPTION_CHARACTERS = 1000

RELATIVE = "hubconf.py: it is no part of a package, so its relative import fails when it is loaded"


class HubConf(msgspec.Struct, frozen=True):
    """What a hubconf.py offers; `unresolved` are names that only running it would explain.

    `doubts` are sentences on entrypoints that may be called in another way than is shown here.
    """

    entrypoints: dict[str, Entrypoint]
    dependencies: tuple[str, ...]
    unresolved: tuple[str, ...]
    urls: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_entrypoints(path: Path) -> HubConf:
    """The public callables of the `hubconf.py` at `path`, following imports within its folder.

    Raises:
        FormatError: the file is too large, not UTF-8 or Latin-1, or not Python.

    """
    folder = Folder(path.parent.resolve())
    return _conf(folder, folder.opened(path))


def read(path: Path) -> Facts:
    """The same as facts; unsafe, because loading an entrypoint runs the publisher's code."""
    folder = Folder(path.parent.resolve())
    module = folder.opened(path)
    conf = _conf(folder, module)
    return Facts(
        format="pytorch-hub",
        framework="pytorch",
        entrypoints=conf.entrypoints,
        code=(path.name, *(f"requires {name}" for name in conf.dependencies)),
        python_packages=conf.dependencies,
        urls=conf.urls,
        unsaid=(*(f"{name}{UNRESOLVED}" for name in conf.unresolved), *conf.doubts),
        risks=(
            Risk("python-code", "loading an entrypoint runs this file", path.name),
            *author_paths([module.source.text], path.name),
        ),
    )


UNRESOLVED = ": only running the file would tell"
"""How a sentence of `Facts.unsaid` ends that tells of a name nobody could follow."""


def _conf(folder: Folder, module: Names) -> HubConf:
    entrypoints: dict[str, Entrypoint] = {}
    unresolved = dict.fromkeys([*module.stars, *module.hidden])
    doubts: list[str] = []
    weights = Weights(folder)
    characters = 0
    for name, bound in module.names.items():
        if name.startswith("_"):
            continue
        found = folder.followed(bound, module)
        told = _told(folder, found)
        if isinstance(found, Outside) and isinstance(bound, Assigned) and not name.isupper():
            told = found.dotted
        if isinstance(told, Called):
            assert isinstance(found, (Callable, Partial))
            entrypoints[name] = _entrypoint(told, module.path.name)
            characters += _length(entrypoints[name])
            if characters > TEXT_CHARACTERS:
                raise FormatError("the entrypoints have more arguments than any real ones")
            weights.reached_from(found)
            condition = module.conditions.get(name)
            doubts += [f"{name} {why}." for why in (*told.doubts, *filter(None, [condition]))]
        elif told is not None:
            unresolved.setdefault(f"{name} ({told})")
    if any(isinstance(bound, Imported) and bound.level for bound in module.names.values()):
        doubts.append(f"{RELATIVE}.")
    return HubConf(
        entrypoints, _dependencies(module), tuple(unresolved), tuple(weights.urls), tuple(doubts)
    )


def _told(folder: Folder, found: Found) -> Called | str | None:
    """How a found thing is called, why nobody can tell, or None where it is no entrypoint."""
    match found:
        case Callable() | Partial():
            return called(folder, found)
        case Outside(dotted=dotted, tool=False):
            return f"from {dotted.rpartition('.')[0]}" if "." in dotted else None
        case str():
            return found
    return None


def _dependencies(module: Names) -> tuple[str, ...]:
    """`dependencies = ["torch"]`: what `torch.hub` wants to be installed before it goes on."""
    bound = module.names.get("dependencies")
    node = bound.node if isinstance(bound, Assigned) else None
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    return tuple(
        part.value
        for part in parts
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def claims(path: Path, head: bytes) -> bool:  # noqa: ARG001  the protocol's
    """By its name alone: `torch.hub` knows no other."""
    return path.name == "hubconf.py"


def _entrypoint(told: Called, file: str) -> Entrypoint:
    function = told.function
    lines = [line.strip() for line in function.docstring.splitlines()]
    said: dict[str, str] = {
        match[1]: match[2] for match in map(_DESCRIBED.fullmatch, lines) if match is not None
    }
    parameters = tuple(
        Parameter(part.name, part.type, part.default, said.get(part.name.lstrip("*")))
        for part in function.parameters
    )
    first = next((line[:DESCRIPTION_CHARACTERS] for line in lines if line), None)
    return Entrypoint(file=file, parameters=parameters, description=first)


def _length(entrypoint: Entrypoint) -> int:
    """Characters that it takes, at some for each argument."""
    return 100 + sum(
        30 + len(part.name) + len(part.type or "") + len(part.default or "")
        for part in entrypoint.parameters
    )


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
