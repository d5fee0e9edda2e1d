"""Methods as TorchScript's own text declares them: names of arguments, their types and defaults.

Source: the printer of `torch/csrc/jit/serialization/python_print.cpp`: a class begins with
`class NAME(Module):` at the start of a line, a method with `  def NAME(self: TYPE,`, an argument a
line, and `) -> TYPE:`. Nothing is parsed as Python: brackets and quotes are counted.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

HEAD_CHARACTERS = 8192
"""The longest declaration of a method; one that goes on is left out."""
METHOD_COUNT = 200

_CLASS = re.compile(r"^class (\w+)\([\w, ]*\):$", re.MULTILINE)
_METHOD = re.compile(r"^  def (\w+)\(", re.MULTILINE)
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Argument:
    """One argument of a method: its type and default as TorchScript writes them."""

    name: str
    type: str
    default: str | None = None

    def __str__(self) -> str:
        """`count: int=2`."""
        return f"{self.name}: {self.type}" + ("" if self.default is None else f"={self.default}")


@dataclass(frozen=True)
class Method:
    """A method of a module, without its `self`."""

    name: str
    arguments: tuple[Argument, ...]
    returns: str

    def __str__(self) -> str:
        """`forward(x: Tensor) -> Tensor`."""
        return f"{self.name}({', '.join(map(str, self.arguments))}) -> {self.returns}"


def methods(source: str, name: str) -> list[Method]:
    """The methods of class `name` in the order in which they stand in `source`."""
    body = _body(source, name)
    found = (_method(body, match) for match in _METHOD.finditer(body))
    return [method for method in itertools.islice(found, METHOD_COUNT) if method]


def _body(source: str, name: str) -> str:
    """The lines of one class."""
    heads = list(_CLASS.finditer(source))
    ends = [*(head.start() for head in heads[1:]), len(source)]
    found = (source[head.end() : end] for head, end in zip(heads, ends, strict=False)
             if head.group(1) == name)  # fmt: skip
    return next(found, "")


def _method(body: str, match: re.Match[str]) -> Method | None:
    head = body[match.end() : match.end() + HEAD_CHARACTERS]
    parts, after = _split(head)
    returns = re.match(r" -> (.{1,4096}?):$", head[after:], re.MULTILINE)
    arguments = [_argument(part) for part in parts[1:]]
    if returns is None or None in arguments:
        return None
    known = tuple(argument for argument in arguments if argument is not None)
    return Method(match.group(1), known, returns.group(1))


def _split(head: str) -> tuple[list[str], int]:
    """What stands between commas up to the closing bracket, and the place after that."""
    parts: list[str] = []
    start = 0
    for at, depth in _outside_quotes(head):
        if depth == 0 and head[at] == ",":
            parts.append(head[start:at].strip())
            start = at + 1
        elif depth < 0:
            last = head[start:at].strip()
            return ([*parts, last] if last else parts), at + 1
    return [], len(head)


def _outside_quotes(text: str) -> Iterator[tuple[int, int]]:
    """Each place outside of string literals, with how many brackets are open there."""
    depth = 0
    quote = ""
    escaped = False
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote and not escaped else quote
            escaped = character == "\\" and not escaped
        elif character in "\"'":
            quote = character
        else:
            depth += (character in _OPENING) - (character in _CLOSING)
            yield at, depth


def _argument(part: str) -> Argument | None:
    name, colon, rest = part.partition(": ")
    if not (colon and name.isidentifier()):
        return None
    equals = next(
        (at for at, depth in _outside_quotes(rest) if rest[at] == "=" and not depth), None
    )
    if equals is None:
        return Argument(name, rest)
    return Argument(name, rest[:equals], rest[equals + 1 :])
