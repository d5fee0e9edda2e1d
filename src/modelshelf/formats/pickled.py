"""A pickle looked at without unpickling: every object becomes an inert placeholder.

Nothing is imported, called, hashed or compared, so a hostile pickle can only be refused. What
the real unpickler would import is listed in `Pickle.imports`. Source: the opcodes documented in
`pickletools`; where that says nothing, what `pickle._Unpickler` does.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from modelshelf.errors import FormatError
from modelshelf.formats.pickle_machine import Machine
from modelshelf.formats.placeholders import Global

OPCODE_COUNT = 2_000_000
"""Opcodes of all pickles of a file together: seconds of work; real models have some 10,000."""

OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
"""Every instruction by its byte."""


class Source(Protocol):
    """Where a pickle is read from."""

    def read(self, count: int, /) -> bytes:
        """At most `count` bytes from here."""

    def readline(self) -> bytes:
        """The bytes up to and with the next line feed."""

    def tell(self) -> int:
        """The place, in bytes."""


class Pickle(NamedTuple):
    """A pickle's content; `imports` are in the order of their first mention.

    `root` is made of None, bool, int, float, str, bytes, tuple, list, Node, Global, Persistent.
    """

    root: object
    imports: tuple[Global, ...]


class Budget:
    """Opcodes that may still be read; one for all pickles of a file."""

    def __init__(self, opcodes: int = OPCODE_COUNT) -> None:
        self.opcodes = opcodes

    def spend(self) -> None:
        """Count one opcode; raises FormatError when none is left."""
        self.opcodes -= 1
        if self.opcodes < 0:
            raise FormatError(
                "the pickle has more instructions than any real model",
                expected=f"at most {OPCODE_COUNT}",
            )


def inspect(source: Source, budget: Budget | None = None) -> Pickle:
    """Read one pickle, up to and with its STOP.

    Raises:
        FormatError: it is cut off, asks for what does not exist, or hides what it imports.

    """
    allowance = budget or Budget()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in strings
            return _run(source, allowance)
    except FormatError:
        raise
    except (ValueError, LookupError, OverflowError) as error:
        raise FormatError("the pickle is cut off or damaged", got=str(error)[:200]) from error


def _run(source: Source, budget: Budget) -> Pickle:
    machine = Machine()
    for name, argument in _opcodes(source):
        budget.spend()
        if name == "STOP":
            return Pickle(machine.pop(), tuple(machine.imports))
        machine.step(name, argument)
    raise FormatError("the pickle has no end")


def _opcodes(source: Source) -> Iterator[tuple[str, object]]:
    """Names of opcodes with their arguments.

    `pickletools.genops` would undo escapes in the names of imports, the unpickler does not: so
    those two lines are read here as the unpickler reads them.
    """
    while code := source.read(1):
        opcode = OPCODES.get(code)
        if opcode is None:
            raise FormatError("the pickle has an instruction that does not exist", got=code.hex())
        if opcode.name in {"GLOBAL", "INST"}:
            yield opcode.name, (line_of(source), line_of(source))
        else:
            reader = opcode.arg.reader if opcode.arg else None
            yield opcode.name, reader(source) if reader else None  # type: ignore[arg-type]


def line_of(source: Source) -> str:
    """The next line without its end, as the unpickler reads the two lines of an import."""
    line = source.readline()
    if not line.endswith(b"\n"):
        raise FormatError("the pickle is cut off in the name of an import")
    return line[:-1].decode()
