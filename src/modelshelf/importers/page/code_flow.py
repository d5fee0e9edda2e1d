"""Which model's output goes into which model, in the example code of a page; nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from modelshelf.importers.page.example_code import example
from modelshelf.importers.page.markdown import Code

NODE_COUNT = 20_000
"""Nodes of all code of a page that are looked at."""
DEPTH = 60

Models = frozenset[str]
_NONE: Models = frozenset()


class Flow(NamedTuple):
    """What `source` puts out goes into `target`, on this line of the page."""

    source: str
    target: str
    line: int


def flows(blocks: Sequence[Code], model_of: Callable[[Sequence[str]], str | None]) -> list[Flow]:
    """The flows between models, in the order of the code.

    `model_of` tells which model a call loads that is given these texts, None where it loads none.
    Names keep their meaning from block to block.
    """
    found = _Flows(model_of)
    for number, block in enumerate(blocks):
        for piece in example(block, number).pieces:
            if not piece.commented:
                found.statement(piece.node, piece.line - piece.node.lineno)
    return list(dict.fromkeys(found.every))


class _Flows:
    """Goes through statements in their order; knows what each name holds: a model, or its output."""

    def __init__(self, model_of: Callable[[Sequence[str]], str | None]) -> None:
        self.every: list[Flow] = []
        self._model_of = model_of
        self._models: dict[str, str] = {}
        self._made_by: dict[str, Models] = {}
        self._left = NODE_COUNT
        self._shift = 0

    def statement(self, node: ast.stmt, shift: int) -> None:
        self._shift = shift
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            self._assign([name for target in targets for name in _names(target)], node.value)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self.statement(child, shift)
            elif isinstance(child, ast.expr):
                self._made(child, 0)
            elif isinstance(child, ast.withitem | ast.ExceptHandler | ast.match_case):
                for inner in ast.walk(child):
                    if isinstance(inner, ast.stmt):
                        self.statement(inner, shift)

    def _assign(self, names: list[str], value: ast.expr) -> None:
        model = self._loaded(value)
        made = _NONE if model else self._made(value, 0)
        for name in names:
            # `model = model.to("cuda")` leaves it a model
            if model or self._models.get(name) not in made:
                self._models.pop(name, None)
                self._made_by[name] = made
            if model:
                self._models[name] = model

    def _loaded(self, node: ast.expr) -> str | None:
        """The model that an expression is: loaded by a call, or (a part of) one that has a name."""
        if isinstance(node, ast.Call):
            texts = [text for each in _arguments(node) for text in _texts(each)]
            model = self._model_of(texts) if texts else None
            if model or self._named(node.func):
                return model
            wrapped = [m for each in _arguments(node) if (m := self._named(each))]
            return wrapped[0] if wrapped else None
        return self._named(node)

    def _named(self, node: ast.expr) -> str | None:
        """The model whose name an expression begins with: `model.signatures["default"]`."""
        for _ in range(DEPTH):
            if isinstance(node, ast.Attribute | ast.Subscript):
                node = node.value
            else:
                break
        if isinstance(node, ast.Name):
            return self._models.get(node.id)
        return self._loaded(node) if isinstance(node, ast.Call) and _has_text(node) else None

    def _made(self, node: ast.AST, depth: int) -> Models:
        """The models whose output a value is made of."""
        self._left -= 1
        if self._left < 0 or depth > DEPTH:
            return _NONE
        if isinstance(node, ast.Name):
            return self._made_by.get(node.id, _NONE)
        if isinstance(node, ast.Call):
            model = self._named(node.func)
            given = [self._made(each, depth + 1) for each in _arguments(node)]
            sources = frozenset().union(*given) if given else _NONE
            if model is None:
                return sources | self._made(node.func, depth + 1)
            line = node.lineno + self._shift
            self.every += (Flow(each, model, line) for each in sorted(sources) if each != model)
            return frozenset((model,))
        parts = [self._made(child, depth + 1) for child in ast.iter_child_nodes(node)]
        return frozenset().union(*parts) if parts else _NONE


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _has_text(call: ast.Call) -> bool:
    return any(True for each in call.args for _ in _texts(each))


def _names(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            yield node.id
