"""Example code of a page as statements of Python, also those in comments; nothing is run.

A block that is Python is parsed as a whole. Of others (a notebook's cell with shell lines, a block
that was cut) each statement is parsed that can be. What stands in comments is tried likewise.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from modelshelf.importers.page.markdown import Code

longest_block_characters = 30_000
longest_block_lines = 2000
longest_statement_lines = 60
most_pieces = 2000
"""Statements of one block; what stands behind is not read."""

_LEXEME = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*+'''"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'(?:[^'\\\n]|\\.)*+'"
    r"|#[^\n]*",
    re.DOTALL,
)
_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.)(?: |$)")
_SHELL = re.compile(r"([ \t]*)(?:[!%]|\$ ).*")
_LIKELY = re.compile(r"[=(]")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


class Comment(NamedTuple):
    """What stands behind a `#`, on which line of the page; `alone` where no code stands before it."""

    text: str
    line: int
    alone: bool


class Piece(NamedTuple):
    """One statement, beginning at `line` of the page; `commented` where it stands in a comment."""

    node: ast.stmt
    line: int
    commented: bool = False

    def at(self, node: ast.AST) -> int:
        """The line of the page where a part of the statement stands."""
        return self.line + getattr(node, "lineno", self.node.lineno) - self.node.lineno


class Example(NamedTuple):
    """A block of code: its statements in the order of the page, and its comments.

    `number` counts the blocks of the page, `line` is where it begins.
    """

    number: int
    line: int
    pieces: tuple[Piece, ...]
    comments: tuple[Comment, ...]


def example(block: Code, number: int = 0) -> Example:
    """The statements and comments of one block."""
    lines = block.text[:longest_block_characters].split("\n")[:longest_block_lines]
    text = "\n".join(_bare(lines))
    first = block.line + 1
    comments = tuple(_comments(text, first))
    pieces = [*_code(text, first), *_commented(comments)]
    pieces.sort(key=lambda piece: piece.line)
    return Example(number, block.line, tuple(pieces[:most_pieces]), comments)


def parsed(text: str) -> ast.Module | None:
    """The syntax tree of `text`; None where it is no Python or too deep."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bare(lines: list[str]) -> list[str]:
    """The lines without prompts and without lines for a shell, which leave an empty statement."""
    if any(line.lstrip().startswith(">>>") for line in lines):
        lines = [
            line[found.end() :] if (found := _PROMPT.match(line)) else f"# {line}" for line in lines
        ]
    return [_SHELL.sub(r"\1pass", line) if "!" in line or "%" in line or "$" in line else line
            for line in lines]  # fmt: skip


def _comments(text: str, first: int) -> Iterator[Comment]:
    line, at = first, 0
    for found in _LEXEME.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        if found[0].startswith("#"):
            before = text[text.rfind("\n", 0, at) + 1 : at]
            yield Comment(found[0].lstrip("#"), line, not before.strip())


def _code(text: str, first: int) -> Iterator[Piece]:
    tree = parsed(text)
    if tree is not None:
        yield from (Piece(node, first + node.lineno - 1) for node in tree.body)
        return
    lines = text.split("\n")
    yield from _recovered(lines, range(first, first + len(lines)), commented=False)


def _commented(comments: Sequence[Comment]) -> Iterator[Piece]:
    """Statements in comments: lines that follow each other belong together."""
    run: list[Comment] = []
    for comment in comments:
        if run and (comment.line != run[-1].line + 1 or not comment.alone):
            yield from _recovered([c.text for c in run], [c.line for c in run], commented=True)
            run = []
        run.append(comment)
    yield from _recovered([c.text for c in run], [c.line for c in run], commented=True)


def _recovered(lines: list[str], numbers: Sequence[int], *, commented: bool) -> Iterator[Piece]:
    """What can be parsed of lines that are not Python as a whole."""
    at = 0
    while at < len(lines):
        length = _statement(lines, at) if _LIKELY.search(lines[at]) else 0
        for node in _nodes(lines[at : at + length]):
            yield Piece(node, numbers[at] + node.lineno - 1, commented)
        at += max(1, length)


def _nodes(lines: list[str]) -> list[ast.stmt]:
    """The statements in `lines`, also behind words: `or model = load("a", "b")`."""
    text = "\n".join(line.strip() for line in lines)
    tree = parsed(text)
    if tree is None and (behind := _ASSIGNED.search(text)):
        tree = parsed(text[behind.start() :])
    return [] if tree is None else [node for node in tree.body if not isinstance(node, ast.Pass)]


_ASSIGNED = re.compile(
    r"(?<![\w.])(?:[A-Za-z_]\w{0,60}\s?=\s?)?(?:[A-Za-z_]\w{0,30}\.){0,3}load\s?\("
)


def _statement(lines: list[str], start: int) -> int:
    """How many lines the statement has that begins at `start`: until its brackets are closed.

    1 where they never are.
    """
    depth = 0
    for number, line in enumerate(lines[start : start + longest_statement_lines], 1):
        for sign in _LEXEME.sub("", line):
            depth += _BRACKETS.get(sign, 0)
        if depth <= 0:
            return number
    return 1
