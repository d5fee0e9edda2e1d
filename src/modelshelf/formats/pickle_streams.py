"""Every pickle of a file, one after another, as the loaders of pickles would run them.

`pickle.load` may be called again where the last pickle ended, and `joblib.load` reads arrays
between a pickle's instructions (`joblib/numpy_pickle.py`), so a file can say one thing to one loader
and another to the next: both are looked at. A pickle that breaks off has run up to there, so what
was seen before an error counts.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.facts import Risk
from modelshelf.formats.joblib_arrays import WRAPPER, skip_array
from modelshelf.formats.pickle_machine import Machine
from modelshelf.formats.pickled import OPCODES, Budget, line_of
from modelshelf.formats.placeholders import Global, Node
from modelshelf.formats.pytorch_imports import harmful
from modelshelf.formats.window import Seekable

STREAM_COUNT = 10_000
"""Pickles in one file at most."""
VALUE_BYTES = 1 << 20
"""Longer texts and blocks of bytes are passed over: they are data, and no import has such a name."""
LINE_BYTES = 1 << 20
"""The longest line of a pickle in ASCII."""
RISK_COUNT = 50
"""How many imports of one file are told."""

# Instructions whose value follows a length of so many bytes.
_LENGTH_BYTES = {
    "BINSTRING": 4, "BINBYTES": 4, "BINUNICODE": 4, "BINBYTES8": 8, "BINUNICODE8": 8,
    "BYTEARRAY8": 8,
}  # fmt: skip
_CALLS = frozenset({"REDUCE", "NEWOBJ", "NEWOBJ_EX", "INST", "OBJ", "BUILD"})
_REMEMBERS = frozenset({"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"})
# An array of objects is a pickle with a memo of its own; read plainly, its references lead to other
# texts, so that these names seem to come from other modules. No module has harm under them.
_GARBLED = frozenset({"dtype", "scalar", "ndarray", "_reconstruct"})

_NUMBER = re.compile(
    rb"[+-]?(?:inf|infinity|nan|0[xob][\da-f_]+L?|[\d_]+L?|[\d.]+(?:e[+-]?\d+)?)", re.IGNORECASE
)

Judge = Callable[[tuple[Global, ...]], tuple[Global, ...]]
"""Which of a pickle's imports are harmful."""


class Walked(NamedTuple):
    """One pickle as far as it could be followed.

    `called` is True when something was called or filled, `error` is what stopped it before its
    STOP, `mixed` tells that arrays of joblib stand between its instructions, `spent` that the
    budget ended before the pickle did.
    """

    imports: tuple[Global, ...]
    called: bool
    error: FormatError | None
    mixed: bool = False
    spent: bool = False


class Bytes:
    """A seekable file with what `pickletools` asks for, which never reads more than it must."""

    def __init__(self, file: Seekable, size: int) -> None:
        self._file = file
        self.size = size

    def read(self, count: int, /) -> bytes:
        """At most `count` bytes from here; a length beyond the file is refused, not allocated."""
        if count > self.size - self.tell() and count > VALUE_BYTES:
            raise FormatError("the pickle is cut off", expected=f"{count} more bytes")
        return self._file.read(count)

    def readline(self) -> bytes:
        """The bytes up to and with the next line feed."""
        line = self._file.readline(LINE_BYTES + 1)
        if len(line) > LINE_BYTES:
            raise FormatError("the pickle has a line that is too long")
        return line

    def tell(self) -> int:
        """The place, in bytes."""
        return self._file.tell()

    def skip(self, count: int) -> None:
        """Go on behind the next `count` bytes, which must be there."""
        if count > self.size - self.tell():
            raise FormatError(
                "the pickle is cut off",
                expected=f"{count} more bytes",
                got=f"{self.size - self.tell()} bytes",
            )
        self._file.seek(self.tell() + count)


def pickle_risks(file: Seekable, size: int, name: str, judge: Judge = harmful) -> tuple[Risk, ...]:
    """What is wrong with a file that is a run of pickles to its end; empty if all is allowed."""
    bad: dict[Global, None] = {}
    risks: list[Risk] = []
    for number, walked in enumerate(_streams(file, size, joblib=True)):
        bad.update(dict.fromkeys(judge(walked.imports)))
        if walked.mixed:
            # To `pickle.load` the bytes of arrays are instructions.
            read_plainly, _, _ = _plainly(file, size, judge)
            bad.update(dict.fromkeys(name for name in read_plainly if name.name not in _GARBLED))
        if walked.error:
            kind = "pickle-trailing" if number else "unreadable"
            risks.append(Risk(kind, walked.error.message, name))
    named = [Risk("pickle-global", str(found)[:500], name) for found in list(bad)[:RISK_COUNT]]
    return (*named, *risks)


def plain_risks(file: Seekable, size: int, name: str, judge: Judge = harmful) -> tuple[Risk, ...]:
    """What `pickle.load` or `joblib.load` would run in a file that claims to be something else.

    Text may begin like a pickle that imports (`cat`, `dog`), so an import counts when something is
    called after it, or when its pickle ends.
    """
    imports, endless, broken = _plainly(file, size, judge)
    between, _, broken_between = _plainly(file, size, judge, joblib=True)
    imports = list(dict.fromkeys((*imports, *between)))
    named = [Risk("pickle-global", str(found)[:500], name) for found in imports[:RISK_COUNT]]
    if broken and broken_between:
        named.append(Risk("unreadable", "a pickle that calls something and breaks off", name))
    if endless:
        named.append(Risk("unreadable", "goes on as a pickle for longer than one can look", name))
    return tuple(named)


def _plainly(
    file: Seekable, size: int, judge: Judge, *, joblib: bool = False
) -> tuple[list[Global], bool, bool]:
    """The imports that run, whether looking stopped before the end, and in something that ran."""
    bad: dict[Global, None] = {}
    spent = broken = False
    for walked in _streams(file, size, joblib=joblib):
        if walked.called or walked.error is None:
            bad.update(dict.fromkeys(judge(walked.imports)))
        spent = walked.spent
        broken = walked.called and walked.error is not None
    return list(bad), spent, broken


def _streams(file: Seekable, size: int, *, joblib: bool) -> Iterator[Walked]:
    """Each pickle of the file, until one breaks off or the file ends."""
    budget = Budget()
    source = Bytes(file, size)
    file.seek(0)
    at = 0
    for _ in range(STREAM_COUNT):
        if at >= size:
            return
        file.seek(at)
        walked = walk(source, budget, joblib=joblib)
        at = source.tell()
        yield walked
        if walked.error:
            return
    yield Walked(
        (), called=False, error=FormatError("the file has more pickles than any model"), spent=True
    )


def walk(source: Bytes, budget: Budget, *, joblib: bool) -> Walked:
    """Follow one pickle from here; never raises for what it holds."""
    steps = _Steps(source, budget, joblib=joblib)
    error: FormatError | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in strings
            steps.run()
    except FormatError as refused:
        error = refused
    except (ValueError, LookupError, OverflowError) as broken:
        error = FormatError("the pickle is cut off or damaged", got=str(broken)[:200])
    return Walked(
        tuple(steps.machine.imports), steps.called, error, steps.mixed, budget.opcodes < 0
    )


class _Steps:
    """A pickle being followed: the machine, and what joblib's loader would do between its steps."""

    def __init__(self, source: Bytes, budget: Budget, *, joblib: bool) -> None:
        self.machine = Machine()
        self.called = False
        self.mixed = False
        self._source = source
        self._budget = budget
        self._joblib = joblib
        self._wanted: list[str] = []

    def run(self) -> None:
        for name, argument in _instructions(self._source):
            self._budget.spend()
            if name == "STOP":
                self.machine.pop()
                return
            self._require(name)
            self.called = self.called or self._may_call(name)
            self.machine.step(name, argument)
            if name in _CALLS - {"BUILD"}:
                self.called = self.called or bool(self.machine.imports)
            if self._joblib:
                self._between(name)
        raise FormatError("the pickle has no end")

    def _may_call(self, name: str) -> bool:
        """Whether the step runs anything; a state is given to what was imported or made only.

        Lines of text may look like an import (`cat`, `dog`) and then a BUILD (`bird`).
        """
        stack = self.machine.stack
        if name == "BUILD" and not (len(stack) > 1 and isinstance(stack[-2], (Node, Global))):
            return False
        return name in _CALLS and bool(self.machine.imports)

    def _require(self, name: str) -> None:
        """A wrapper of an array must be made the one way that joblib writes: `cls.__new__(cls)`.

        Else it could be made behind our back, and the bytes after it would be misread.
        """
        if self._wanted and name not in _REMEMBERS and name != self._wanted.pop(0):
            raise FormatError("the pickle makes an array in a way that joblib does not")

    def _between(self, name: str) -> None:
        stack = self.machine.stack
        if stack and stack[-1] == WRAPPER and name not in _REMEMBERS:
            self._wanted = ["EMPTY_TUPLE", "NEWOBJ"]
        top = stack[-1] if stack else None
        if name == "BUILD" and isinstance(top, Node) and top.origin == WRAPPER:
            self.mixed = True
            stack[-1] = Node(Global("numpy", "ndarray"))
            if skip_array(top, self._source):
                self._object_array()

    def _object_array(self) -> None:
        """An array of objects is a pickle of its own, in the middle of the other."""
        inner = walk(self._source, self._budget, joblib=False)
        for found in inner.imports:
            self.machine.imports.setdefault(found)
        if inner.error:
            raise inner.error


def _instructions(source: Bytes) -> Iterator[tuple[str, object]]:
    """Names of instructions with their arguments; None for a value that was passed over."""
    while code := source.read(1):
        opcode = OPCODES.get(code)
        if opcode is None:
            raise FormatError("the pickle has an instruction that does not exist", got=code.hex())
        if opcode.name in {"GLOBAL", "INST"}:
            yield opcode.name, (line_of(source), line_of(source))
        elif opcode.name in _LENGTH_BYTES:
            yield opcode.name, _value(source, opcode.name)
        elif opcode.name in _LINES:
            yield opcode.name, _LINES[opcode.name](_line(source))
        else:
            reader = opcode.arg.reader if opcode.arg else None
            yield opcode.name, reader(source) if reader else None  # type: ignore[arg-type]


def _line(source: Bytes) -> bytes:
    line = source.readline()
    if not line.endswith(b"\n"):
        raise FormatError("the pickle is cut off in a line")
    return line[:-1]


def _number(line: bytes) -> None:
    """A number, which is data; the unpickler in C takes more of them than Python's."""
    if not _NUMBER.fullmatch(line.partition(b"\0")[0].strip()):
        raise FormatError("the pickle has a number that is none")


def _place(line: bytes) -> int:
    """A place in the memo; the unpickler in C stops at a zero byte."""
    return int(line.partition(b"\0")[0])


def _string(line: bytes) -> str | None:
    """A text in quotes, in whichever encoding `pickle.load` is told."""
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in {b"'", b'"'}:
        raise FormatError("the pickle has a text without quotes")
    try:
        return bytes(codecs.escape_decode(line[1:-1])[0]).decode("latin-1")
    except ValueError:
        return None


_LINES: dict[str, Callable[[bytes], object]] = {
    "INT": _number,
    "LONG": _number,
    "FLOAT": _number,
    "GET": _place,
    "PUT": _place,
    "STRING": _string,
    "UNICODE": lambda line: line.decode("raw-unicode-escape", "replace"),
}
"""Instructions in ASCII, whose value is the rest of the line."""


def _value(source: Bytes, name: str) -> object:
    raw = source.read(_LENGTH_BYTES[name])
    length = int.from_bytes(raw, "little", signed=name == "BINSTRING")
    if len(raw) < _LENGTH_BYTES[name] or length < 0:
        raise FormatError("the pickle is cut off in a length")
    if length > VALUE_BYTES:
        source.skip(length)
        return None
    value = source.read(length)
    if len(value) != length:
        raise FormatError("the pickle is cut off in a value")
    if name.startswith("BINUNICODE"):
        return value.decode("utf-8", "surrogatepass")
    return value.decode("latin-1") if name == "BINSTRING" else value
