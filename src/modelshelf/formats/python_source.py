"""Python source looked at without running it: its syntax tree, and the arguments of its callables."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from modelshelf.errors import FormatError

SOURCE_BYTES = 1024 * 1024
MARK_COUNT = 120_000
"""Signs and words in all files read: what bounds the nodes of their syntax trees.

Real code has one in five bytes, so this is some 600 kB of it, parsed in less than half a second.
"""
_ENCODINGS = ("utf-8", "utf-8-sig", "iso-8859-1", "ascii")
_WORDS = bytes(set(range(256)) - set(b"()[]{},:;.=+-*/%@&|^~<>!\"'"))

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Kind = Literal["positional", "either", "rest", "named", "options"]
"""How an argument is given: by place, by place or name, `*rest`, by name, `**options`."""
_POSITIONAL: Kind = "positional"
_EITHER: Kind = "either"
_NAMED: Kind = "named"


@dataclass(frozen=True)
class Argument:
    """One argument; `type` and `default` are source text, `default` None where it is required."""

    name: str
    type: str | None
    default: str | None
    kind: Kind = "either"


@dataclass(frozen=True)
class Function:
    """A function, or a class as a callable."""

    name: str
    parameters: tuple[Argument, ...]
    docstring: str


@dataclass
class Marks:
    """What is left of `MARK_COUNT` for the files that are read together."""

    left: int = field(default=MARK_COUNT)

    def charge(self, content: bytes, name: str) -> None:
        """Count the marks of one more file; raises FormatError where they are too many."""
        self.left -= len(content.translate(None, _WORDS)) + len(content.split())
        if self.left < 0:
            raise FormatError(
                "the source is longer than anything that only builds models",
                where=name,
                expected=f"at most {MARK_COUNT} signs and words in all files",
                hint="keep hubconf.py apart from generated code",
            )


class Source:
    """A parsed file."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.text = text
        self.tree = tree
        self._lines = [line.encode() for line in text.split("\n")]

    @classmethod
    def opened(cls, path: Path, marks: Marks | None = None) -> Source:
        """Read and parse the file at `path`; raises FormatError where it is no Python."""
        with path.open("rb") as file:
            content = file.read(SOURCE_BYTES + 1)
        if len(content) > SOURCE_BYTES:
            raise FormatError(
                "the source file is too large", where=path.name, expected=f"{SOURCE_BYTES} bytes"
            )
        text = _decoded(content, path.name)
        (marks or Marks()).charge(content, path.name)
        return cls(text, _parsed(text, path.name))

    def segment(self, node: ast.expr | None) -> str | None:
        """The source text of an expression, on one line."""
        if node is None or node.end_lineno is None:
            return None
        first, last = node.lineno - 1, node.end_lineno - 1
        if first == last:  # one slice: a line of a megabyte may hold ten thousand defaults
            return self._lines[first][node.col_offset : node.end_col_offset].decode()
        lines = self._lines[first : last + 1]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return " ".join(line.decode("utf-8", "replace").strip() for line in lines)

    def arguments(self, arguments: ast.arguments) -> tuple[Argument, ...]:
        """The arguments of a definition in their order."""
        places = [*arguments.posonlyargs, *arguments.args]
        required = [None] * (len(places) - len(arguments.defaults))
        kinds = [
            *[_POSITIONAL] * len(arguments.posonlyargs),
            *[_EITHER] * len(arguments.args),
            *[_NAMED] * len(arguments.kwonlyargs),
        ]
        defaults = [*required, *arguments.defaults, *arguments.kw_defaults]
        found = [
            Argument(arg.arg, self.segment(arg.annotation), self.segment(default), kind)
            for arg, default, kind in zip(
                [*places, *arguments.kwonlyargs], defaults, kinds, strict=True
            )
        ]
        # Whoever gives none of these passes an empty tuple and an empty dictionary.
        if arguments.vararg is not None:
            star = arguments.vararg
            rest = Argument(f"*{star.arg}", self.segment(star.annotation), "()", "rest")
            found.insert(len(places), rest)
        if arguments.kwarg is not None:
            stars = arguments.kwarg
            found.append(
                Argument(f"**{stars.arg}", self.segment(stars.annotation), "{}", "options")
            )
        return tuple(found)


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
