"""What example code does to data before a model: the steps of `Compose([Resize(256), ...])`, in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from modelshelf.importers.page.example_code import Example
from modelshelf.importers.page.literals import dotted
from modelshelf.package.record import Processing

most_steps = 50
longest_step_characters = 200
_LARGEST = 1e9
_LONGEST = 40


def preprocessing(blocks: Iterable[Example]) -> Processing | None:
    """The steps of the first composition that the code of a page makes; None where it makes none."""
    for block in blocks:
        for piece in block.pieces:
            for node in ast.walk(piece.node):
                if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "Compose":
                    steps = tuple(_steps(node))[:most_steps]
                    if steps and not piece.commented:
                        return Processing(steps=steps)
    return None


def _steps(node: ast.Call) -> Iterator[str]:
    given = [*node.args, *(keyword.value for keyword in node.keywords)][:1]
    for each in given:
        for step in each.elts if isinstance(each, ast.List | ast.Tuple) else ():
            name = dotted(step.func).rpartition(".")[2] if isinstance(step, ast.Call) else ""
            if name and isinstance(step, ast.Call):
                yield " ".join([_words(name), *_arguments(step)])[:longest_step_characters]


def _words(name: str) -> str:
    """`CenterCrop` → `center-crop`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower().replace("_", "-")


def _arguments(step: ast.Call) -> Iterator[str]:
    """Literal numbers and words: those with a name behind it."""
    for node in step.args:
        yield from _literals(node)
    for keyword in step.keywords:
        values = list(_literals(keyword.value))
        if keyword.arg and values:
            yield " ".join([keyword.arg.replace("_", "-"), *values])


def _literals(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=bool() as value):
            yield str(value).lower()
        case ast.Constant(value=int() | float() as value) if abs(value) < _LARGEST:
            yield str(value)
        case ast.Constant(value=str() as value) if value.isprintable() and len(value) < _LONGEST:
            yield value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as inner):
            yield from (f"-{each}" for each in _literals(inner))
        case ast.List(elts=values) | ast.Tuple(elts=values) if len(values) <= most_steps:
            for each in values:
                if isinstance(each, ast.Constant | ast.UnaryOp):
                    yield from _literals(each)
        case ast.Attribute(attr=name):
            yield _words(name)
        case _:
            pass
