"""Python source looked at without running it: its top level, and the arguments of its callables."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelshelf.errors import FormatError

SOURCE_BYTES = 1024 * 1024
BLOCK_DEPTH = 20
_ENCODINGS = ("utf-8", "utf-8-sig", "iso-8859-1", "ascii")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Argument:
    """One argument; `type` and `default` are source text, `default` None where it is required."""

    name: str
    type: str | None
    default: str | None


@dataclass(frozen=True)
class Function:
    """A function, or a class as a callable."""

    name: str
    parameters: tuple[Argument, ...]
    docstring: str


class Source:
    """A parsed file."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.text = text
        self.tree = tree
        self._lines = [line.encode() for line in text.split("\n")]

    @classmethod
    def opened(cls, path: Path) -> Source:
        """Read and parse the file at `path`; raises FormatError where it is no Python."""
        with path.open("rb") as file:
            content = file.read(SOURCE_BYTES + 1)
        if len(content) > SOURCE_BYTES:
            raise FormatError(
                "the source file is too large", where=path.name, expected=f"{SOURCE_BYTES} bytes"
            )
        text = _decoded(content, path.name)
        return cls(text, _parsed(text, path.name))

    def segment(self, node: ast.expr | None) -> str | None:
        """The source text of an expression, on one line."""
        if node is None or node.end_lineno is None:
            return None
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return " ".join(line.decode("utf-8", "replace").strip() for line in lines)

    def function(self, definition: Definition) -> Function:
        """The arguments that a caller gives; those of a class are its `__init__`'s."""
        docstring = ast.get_docstring(definition) or ""
        if not isinstance(definition, ast.ClassDef):
            return Function(definition.name, self._arguments(definition.args), docstring)
        made = [
            part
            for part in definition.body
            if isinstance(part, ast.FunctionDef) and part.name == "__init__"
        ]
        arguments = self._arguments(made[-1].args)[1:] if made else ()
        return Function(definition.name, arguments, docstring)

    def _arguments(self, arguments: ast.arguments) -> tuple[Argument, ...]:
        places = [*arguments.posonlyargs, *arguments.args]
        required = [None] * (len(places) - len(arguments.defaults))
        named = zip(
            [*places, *arguments.kwonlyargs],
            [*required, *arguments.defaults, *arguments.kw_defaults],
            strict=True,
        )
        found = [
            Argument(arg.arg, self.segment(arg.annotation), self.segment(default))
            for arg, default in named
        ]
        # Whoever gives none of these passes an empty tuple and an empty dictionary.
        if arguments.vararg is not None:
            star = arguments.vararg
            at = len(places)
            found.insert(at, Argument(f"*{star.arg}", self.segment(star.annotation), "()"))
        if arguments.kwarg is not None:
            stars = arguments.kwarg
            found.append(Argument(f"**{stars.arg}", self.segment(stars.annotation), "{}"))
        return tuple(found)


def statements(body: Iterable[ast.stmt], depth: int = BLOCK_DEPTH) -> Iterator[ast.stmt]:
    """Top-level statements in their order, also those inside `if`, `try` and `with`."""
    for statement in body:
        yield statement
        if depth and isinstance(statement, (ast.If, ast.Try, ast.With)):
            yield from statements(statement.body, depth - 1)
            for handler in getattr(statement, "handlers", []):
                yield from statements(handler.body, depth - 1)
            for block in ("orelse", "finalbody"):
                yield from statements(getattr(statement, block, []), depth - 1)


def _decoded(content: bytes, name: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        if encoding not in _ENCODINGS:
            raise FormatError("the encoding is not allowed", where=name, got=encoding[:40])
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise FormatError(
            "the source file cannot be decoded",
            where=name,
            got=str(error)[:200],
            hint="save it as UTF-8",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parsed(text: str, name: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise FormatError(
            "the source file is not Python", where=f"{name}:{error.lineno}", got=error.msg
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormatError(
            "the source file cannot be parsed", where=name, got=str(error)[:200]
        ) from error
