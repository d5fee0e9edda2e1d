"""Calls of `torch.hub.load` in the example code of a page, and what else it says can be loaded.

A call is read from the syntax tree, also out of comments; variables, f-strings and loops are
followed where all is literal. Nothing is run.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from modelshelf.importers.page import listed
from modelshelf.importers.page.example_code import Example, Piece, example
from modelshelf.importers.page.literals import Literal, Scope, dotted
from modelshelf.importers.page.markdown import Page

most_calls = 300
most_characters = 200_000
"""Characters of code on one page that are looked at."""

_REPOSITORY = re.compile(r"([A-Za-z0-9][\w.-]{0,99})/([\w.-]{1,100})(?::([\w./-]{1,100}))?")
_OWN_OPTIONS = frozenset(
    "repo_or_dir github model entry source force_reload verbose trust_repo skip_validation".split()  # noqa: SIM905 (a list to read)
)
"""Arguments of `torch.hub.load` itself, which the entrypoint does not see."""
_PATH = re.compile(r"[./~]|.*[/\\]|.*\.(?:pth?|bin|ckpt|index|json|ya?ml|onnx|zip|txt)$")


class Argument(NamedTuple):
    """What an entrypoint is given; `name` is empty for one given by its place.

    `others` are values that the page offers instead of `value`.
    """

    name: str
    value: Literal
    others: tuple[str, ...] = ()


class Call(NamedTuple):
    """One way to load something, at `line` of the page.

    `place` is what it stands in: `code 2` (the block's number), `table 57`, `text 40` (a section;
    where each begins). `targets` are the variables that take the result. `commented` where it
    stands in a comment, `offered` where the page only says that such an entrypoint exists.
    """

    repository: str
    tag: str
    entrypoint: str
    arguments: tuple[Argument, ...]
    line: int
    place: str
    targets: tuple[str, ...] = ()
    commented: bool = False
    offered: bool = False


class Use(NamedTuple):
    """A variable that is called (`net(batch)`, `net.infer(text)`), with the variables it is given.

    `method` is empty where it is called itself.
    """

    variable: str
    method: str
    line: int
    given: tuple[str, ...]
    result: tuple[str, ...]
    of_text: bool
    """Whether all that it is given by place are literal texts."""


class Examples(NamedTuple):
    """All that the example code of a page loads, and what it does with it."""

    calls: tuple[Call, ...]
    uses: tuple[Use, ...]
    blocks: tuple[Example, ...]


def read(page: Page) -> Examples:
    """The calls and uses in the code of a page, in its order; then what else it names."""
    blocks = tuple(_blocks(page))
    scope = Scope(blocks)
    every = (call for block in blocks for piece in block.pieces
             for call in _calls(piece, block, scope, page))  # fmt: skip
    called = list(islice(every, most_calls))
    found = dict.fromkeys([*called, *islice(_listed(called, page), most_calls)])
    return Examples(tuple(found), tuple(_uses(blocks)), blocks)


def _blocks(page: Page) -> Iterator[Example]:
    left = most_characters
    for number, block in enumerate(page.code):
        left -= len(block.text)
        if left < 0:
            return
        yield example(block, number)


def is_path(value: str) -> bool:
    """Whether a text names a file or folder rather than a model."""
    return bool(_PATH.match(value))


def _calls(piece: Piece, block: Example, scope: Scope, page: Page) -> Iterator[Call]:
    """Every call in one statement, with an offered one for each entrypoint that could stand there."""
    targets = _targets(piece.node)
    for node in ast.walk(piece.node):
        if not (isinstance(node, ast.Call) and dotted(node.func) in scope.loads):
            continue
        given = _given(node)
        where = _REPOSITORY.fullmatch(_text(scope, given.get("repository")))
        names = scope.evaluated(given["entrypoint"]) if "entrypoint" in given else []
        texts = [name for name in names if isinstance(name, str) and not is_path(name)]
        if where is None or not texts:
            continue
        call = Call(
            f"{where[1]}/{where[2]}", where[3] or "", texts[0],
            tuple(_arguments(node, piece, block, scope, page)),
            piece.at(node), f"code {block.number}", targets.get(node, ()), piece.commented,
        )  # fmt: skip
        yield call
        others = _beside(texts[0], given["entrypoint"], "", piece, block, scope, page)
        for name in dict.fromkeys((*texts[1:], *others)):
            yield call._replace(entrypoint=name, offered=True)


def _given(node: ast.Call) -> dict[str, ast.expr]:
    """What says where to load from and what."""
    found = dict(zip(("repository", "entrypoint"), node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg in ("repo_or_dir", "github"):
            found["repository"] = keyword.value
        elif keyword.arg in ("model", "entry") and "entrypoint" not in found:
            found["entrypoint"] = keyword.value
    return found


def _text(scope: Scope, node: ast.expr | None) -> str:
    values = scope.evaluated(node) if node is not None else []
    return values[0] if values and isinstance(values[0], str) else ""


def _targets(statement: ast.stmt) -> dict[ast.AST, tuple[str, ...]]:
    """The variables that take what is made in a statement, for each call in it."""
    found: dict[ast.AST, tuple[str, ...]] = {}
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign):
            names = tuple(
                n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)
            )
            found |= {inner: names for inner in ast.walk(node.value) if isinstance(inner, ast.Call)}
    return found


def _arguments(
    node: ast.Call, piece: Piece, block: Example, scope: Scope, page: Page
) -> Iterator[Argument]:
    """The arguments of the entrypoint itself that are literals."""
    own = {"repo_or_dir", "github", "model", "entry"} & {k.arg for k in node.keywords if k.arg}
    placed = [("", value) for value in node.args[2 - min(len(own), 2) :]]
    for name, value in (*placed, *_named(node)):
        values = scope.evaluated(value)
        if not values or not isinstance(values[0], Literal) or _is_infinite(values[0]):
            continue
        first = values[0]
        others = [each for each in values[1:] if isinstance(each, str)]
        if isinstance(first, str) and not is_path(first):
            others += [other for _, other, _ in listed.in_tables(first, page.tables)]
            others += _beside(first, value, name, piece, block, scope, page)
        yield Argument(name, first, tuple(dict.fromkeys(each for each in others if each != first)))


def _named(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Arguments by name, also those in `**{"name": value}`."""
    for keyword in node.keywords:
        if keyword.arg is not None and keyword.arg not in _OWN_OPTIONS:
            yield keyword.arg, keyword.value
        elif keyword.arg is None and isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value


def _is_infinite(value: Literal) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _beside(
    known: str, node: ast.expr, name: str, piece: Piece, block: Example, scope: Scope, page: Page
) -> list[str]:
    """What code, its comments and sentences offer in the place of a text that is given."""
    found = list(scope.groups.get(known, ()))
    variable = node.id if isinstance(node, ast.Name) else ""
    for argument in {name, variable} - {""}:
        found += [other for other, _ in listed.given_in_prose(argument, page)]
    sites = [(each.block, each.line) for each in scope.values.get(variable, ())[:10]]
    for number, line in [*sites, (block.number, piece.at(node)), (block.number, piece.line)]:
        found += _in_comments(
            known, scope.blocks[number], line, alone=len(_texts_at(piece, line)) < 2
        )
    return [other for other in found if other != known]


def _texts_at(piece: Piece, line: int) -> list[ast.AST]:
    """The texts that a statement holds on one line."""
    return [
        node for node in ast.walk(piece.node)
        if isinstance(node, ast.expr) and _is_text(node) and piece.at(node) == line
    ]  # fmt: skip


def _in_comments(known: str, block: Example, line: int, *, alone: bool) -> Iterator[str]:
    """Names in the comment behind a line, and in those that stand right above or below it."""
    by_line = {comment.line: comment for comment in block.comments}
    behind = by_line.get(line)
    if behind and not behind.alone:
        yield from listed.in_comment(known, behind.text, loose=alone)
    for step in (-1, 1):
        at, run = line + step, []
        while at in by_line and by_line[at].alone:
            run.append(by_line[at].text)
            at += step
        yield from listed.in_comment(known, "\n".join(run[::step]))


def _listed(called: list[Call], page: Page) -> Iterator[Call]:
    """What tables, points and sentences name, once a place, beside what is called."""
    if not called:
        return
    known = {call.entrypoint: call for call in reversed(called)}
    variables = {target for call in called for target in call.targets} - known.keys()
    places: dict[tuple[str, str], int] = {}
    for name in known:
        for table, other, line in listed.in_tables(name, page.tables):
            places.setdefault((f"table {table.line}", other), line)
    for section in page.sections:
        points = list(listed.in_points(known, section))
        wanted = {*known, *(name for name, _ in points)}
        for name, line in [*points, *listed.in_prose(wanted, section)]:
            if name not in variables:
                places.setdefault((f"text {section.line}", name), line)
    for (place, name), line in sorted(places.items(), key=lambda each: each[1]):
        call = known.get(name, called[0])
        yield Call(call.repository, call.tag, name, (), line, place, offered=True)


def _uses(blocks: Iterable[Example]) -> Iterator[Use]:
    for block in blocks:
        for piece in block.pieces:
            targets = _targets(piece.node)
            for node in ast.walk(piece.node):
                if isinstance(node, ast.Call) and (called := dotted(node.func)):
                    name, _, method = called.partition(".")
                    yield Use(
                        name, method, piece.at(node), _variables(node), targets.get(node, ()),
                        all(_is_text(argument) for argument in node.args) and bool(node.args),
                    )  # fmt: skip


def _variables(node: ast.Call) -> tuple[str, ...]:
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return tuple(n.id for each in given for n in ast.walk(each) if isinstance(n, ast.Name))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
