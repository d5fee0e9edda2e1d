"""A pickle looked at without unpickling: every object becomes an inert placeholder.

Nothing is imported, called, hashed or compared, so a hostile pickle can only be refused. What
the real unpickler would import is listed in `Pickle.imports`. Source: the opcodes documented in
`pickletools`; where that says nothing, what `pickle._Unpickler` does.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from modelshelf.errors import FormatError

OPCODE_COUNT = 2_000_000
"""Opcodes of all pickles of a file together: seconds of work; real models have some 10,000."""
IMPORT_COUNT = 10_000


class Source(Protocol):
    """Where a pickle is read from."""

    def read(self, count: int, /) -> bytes:
        """At most `count` bytes from here."""

    def readline(self) -> bytes:
        """The bytes up to and with the next line feed."""

    def tell(self) -> int:
        """The place, in bytes."""


@dataclass(frozen=True, slots=True)
class Global:
    """A module's attribute that the unpickler would import."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Persistent:
    """An object that lies outside the pickle: in PyTorch's files a storage."""

    key: object


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """An object that the unpickler would make: `origin` called with `arguments`, then filled.

    `items` were appended or added, `pairs` set by key, `states` given to `__setstate__`.
    """

    origin: object
    arguments: tuple[object, ...] = ()
    items: list[object] = field(default_factory=list)
    pairs: list[tuple[object, object]] = field(default_factory=list)
    states: list[object] = field(default_factory=list)


class Pickle(NamedTuple):
    """A pickle's content; `imports` are in the order of their first mention.

    `root` is made of None, bool, int, float, str, bytes, tuple, list, Node, Global, Persistent.
    """

    root: object
    imports: tuple[Global, ...]


DICT = Global("builtins", "dict")
SET = Global("builtins", "set")
FROZENSET = Global("builtins", "frozenset")


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
    machine = _Machine()
    allowance = budget or Budget()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in strings
            return machine.run(source, allowance)
    except FormatError:
        raise
    except (ValueError, LookupError, OverflowError) as error:
        raise FormatError("the pickle is cut off or damaged", got=str(error)[:200]) from error


def _opcodes(source: Source) -> Iterator[tuple[str, object]]:
    """Names of opcodes with their arguments.

    `pickletools.genops` would undo escapes in the names of imports, the unpickler does not: so
    those two lines are read here as the unpickler reads them.
    """
    while code := source.read(1):
        opcode = pickletools.code2op.get(code.decode("latin-1"))
        if opcode is None:
            raise FormatError("the pickle has an instruction that does not exist", got=code.hex())
        if opcode.name in {"GLOBAL", "INST"}:
            yield opcode.name, (_line(source), _line(source))
        else:
            yield opcode.name, opcode.arg.reader(source) if opcode.arg else None  # type: ignore[arg-type]


def _line(source: Source) -> str:
    line = source.readline()
    if not line.endswith(b"\n"):
        raise FormatError("the pickle is cut off in the name of an import")
    return line[:-1].decode()


class _Machine:
    """The unpickler's stack, marks and memo, with placeholders on them."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: dict[int, object] = {}
        self.imports: dict[Global, None] = {}

    def run(self, source: Source, budget: Budget) -> Pickle:
        for name, argument in _opcodes(source):
            budget.spend()
            if name == "STOP":
                return Pickle(self.pop(), tuple(self.imports))
            self.step(name, argument)
        raise FormatError("the pickle has no end")

    def step(self, name: str, argument: object) -> None:
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        elif name not in {"PROTO", "FRAME"}:
            raise FormatError(f"the pickle uses {name}, which no saved model needs")

    def pop(self) -> object:
        if not self.stack:
            raise FormatError("the pickle takes more from its stack than is there")
        return self.stack.pop()

    def top(self) -> object:
        if not self.stack:
            raise FormatError("the pickle takes more from its stack than is there")
        return self.stack[-1]

    def pop_mark(self) -> list[object]:
        if not self.marks:
            raise FormatError("the pickle refers to a mark that it did not set")
        marked = self.stack
        self.stack = self.marks.pop()
        return marked

    def imported(self, module: object, name: object) -> Global:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise FormatError(
                "the pickle hides what it imports",
                hint="the name of an import must be written in the pickle, not computed",
            )
        found = Global(module, name)
        self.imports.setdefault(found)
        if len(self.imports) > IMPORT_COUNT:
            raise FormatError(f"the pickle imports more than {IMPORT_COUNT} names")
        return found


_LITERALS = frozenset(
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "UNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
        "FLOAT",
        "BINFLOAT",
    ]
)
_CONSTANTS: dict[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": lambda: Node(DICT),
    "EMPTY_SET": lambda: Node(SET),
}


def _mark(machine: _Machine, _: object) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: _Machine, _: object) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _drop_mark(machine: _Machine, _: object) -> None:
    machine.pop_mark()


def _duplicate(machine: _Machine, _: object) -> None:
    machine.stack.append(machine.top())


def _get(machine: _Machine, argument: object) -> None:
    assert isinstance(argument, int)
    if argument not in machine.memo:
        raise FormatError("the pickle refers to an object that it did not make", got=argument)
    machine.stack.append(machine.memo[argument])


def _put(machine: _Machine, argument: object) -> None:
    assert isinstance(argument, int)
    machine.memo[argument] = machine.top()


def _memoize(machine: _Machine, _: object) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _list(machine: _Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(items)


def _tuple(machine: _Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(tuple(items))


def _short_tuple(size: int) -> Callable[[_Machine, object], None]:
    def make(machine: _Machine, _: object) -> None:
        items = [machine.pop() for _ in range(size)]
        machine.stack.append(tuple(reversed(items)))

    return make


def _dict(machine: _Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(Node(DICT, pairs=_paired(items)))


def _frozenset(machine: _Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(Node(FROZENSET, items=items))


def _append(machine: _Machine, _: object) -> None:
    item = machine.pop()
    _items_of(machine.top()).append(item)


def _append_all(machine: _Machine, _: object) -> None:
    items = machine.pop_mark()
    _items_of(machine.top()).extend(items)


def _set_item(machine: _Machine, _: object) -> None:
    value, key = machine.pop(), machine.pop()
    _node(machine.top()).pairs.append((key, value))


def _set_items(machine: _Machine, _: object) -> None:
    items = machine.pop_mark()
    _node(machine.top()).pairs.extend(_paired(items))


def _import(machine: _Machine, argument: object) -> None:
    assert isinstance(argument, tuple)
    machine.stack.append(machine.imported(*argument))


def _import_from_stack(machine: _Machine, _: object) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.imported(module, name))


def _extension(machine: _Machine, argument: object) -> None:
    machine.stack.append(machine.imported("copyreg", f"extension {argument}"))


def _reduce(machine: _Machine, _: object) -> None:
    arguments, origin = machine.pop(), machine.pop()
    machine.stack.append(Node(origin, _arguments(arguments)))


def _new_with_keywords(machine: _Machine, _: object) -> None:
    keywords, arguments, origin = machine.pop(), machine.pop(), machine.pop()
    machine.stack.append(Node(origin, (*_arguments(arguments), keywords)))


def _instance(machine: _Machine, argument: object) -> None:
    assert isinstance(argument, tuple)
    arguments = machine.pop_mark()
    machine.stack.append(Node(machine.imported(*argument), tuple(arguments)))


def _object(machine: _Machine, _: object) -> None:
    items = machine.pop_mark()
    if not items:
        raise FormatError("the pickle makes an object of nothing")
    machine.stack.append(Node(items[0], tuple(items[1:])))


def _build(machine: _Machine, _: object) -> None:
    state = machine.pop()
    _node(machine.top()).states.append(state)


def _persistent(machine: _Machine, _: object) -> None:
    machine.stack.append(Persistent(machine.pop()))


def _persistent_text(machine: _Machine, argument: object) -> None:
    machine.stack.append(Persistent(argument))


_ACTIONS: dict[str, Callable[[_Machine, object], None]] = {
    "MARK": _mark,
    "POP": _pop,
    "POP_MARK": _drop_mark,
    "DUP": _duplicate,
    "GET": _get,
    "BINGET": _get,
    "LONG_BINGET": _get,
    "PUT": _put,
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "MEMOIZE": _memoize,
    "LIST": _list,
    "TUPLE": _tuple,
    "TUPLE1": _short_tuple(1),
    "TUPLE2": _short_tuple(2),
    "TUPLE3": _short_tuple(3),
    "DICT": _dict,
    "FROZENSET": _frozenset,
    "APPEND": _append,
    "APPENDS": _append_all,
    "ADDITEMS": _append_all,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "GLOBAL": _import,
    "STACK_GLOBAL": _import_from_stack,
    "EXT1": _extension,
    "EXT2": _extension,
    "EXT4": _extension,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _new_with_keywords,
    "INST": _instance,
    "OBJ": _object,
    "BUILD": _build,
    "BINPERSID": _persistent,
    "PERSID": _persistent_text,
}


def _node(value: object) -> Node:
    """The object that is filled: only one that the pickle made itself, never an import."""
    if not isinstance(value, Node):
        raise FormatError("the pickle changes something that it did not make")
    return value


def _items_of(value: object) -> list[object]:
    return value if isinstance(value, list) else _node(value).items


def _arguments(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise FormatError("the pickle calls something without a tuple of arguments")
    return value


def _paired(items: list[object]) -> list[tuple[object, object]]:
    if len(items) % 2:
        raise FormatError("the pickle sets a key without a value")
    return list(zip(items[::2], items[1::2], strict=True))
