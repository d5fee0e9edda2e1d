"""The unpickler's stack machine with placeholders on it: one action an opcode, nothing runs."""

from __future__ import annotations

from collections.abc import Callable

from modelshelf.errors import FormatError
from modelshelf.formats.placeholders import DICT, FROZENSET, SET, Global, Node, Persistent

IMPORT_COUNT = 10_000


class Machine:
    """The unpickler's stack, marks and memo, with placeholders on them."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: dict[int, object] = {}
        self.imports: dict[Global, None] = {}

    def step(self, name: str, argument: object) -> None:
        """Do what the opcode `name` asks for; raises FormatError where that makes no sense."""
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        elif name not in {"PROTO", "FRAME"}:
            raise FormatError(f"the pickle uses {name}, which no saved model needs")

    def pop(self) -> object:
        """Take the top of the stack."""
        if not self.stack:
            raise FormatError("the pickle takes more from its stack than is there")
        return self.stack.pop()

    def top(self) -> object:
        """The top of the stack, left there."""
        if not self.stack:
            raise FormatError("the pickle takes more from its stack than is there")
        return self.stack[-1]

    def pop_mark(self) -> list[object]:
        """Take everything above the last mark, and the mark."""
        if not self.marks:
            raise FormatError("the pickle refers to a mark that it did not set")
        marked = self.stack
        self.stack = self.marks.pop()
        return marked

    def imported(self, module: object, name: object) -> Global:
        """Note an import; its names must be written out in the pickle."""
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


def _mark(machine: Machine, _: object) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine, _: object) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _drop_mark(machine: Machine, _: object) -> None:
    machine.pop_mark()


def _duplicate(machine: Machine, _: object) -> None:
    machine.stack.append(machine.top())


def _get(machine: Machine, argument: object) -> None:
    assert isinstance(argument, int)
    if argument not in machine.memo:
        raise FormatError("the pickle refers to an object that it did not make", got=argument)
    machine.stack.append(machine.memo[argument])


def _put(machine: Machine, argument: object) -> None:
    assert isinstance(argument, int)
    machine.memo[argument] = machine.top()


def _memoize(machine: Machine, _: object) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _list(machine: Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(items)


def _tuple(machine: Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(tuple(items))


def _short_tuple(size: int) -> Callable[[Machine, object], None]:
    def make(machine: Machine, _: object) -> None:
        items = [machine.pop() for _ in range(size)]
        machine.stack.append(tuple(reversed(items)))

    return make


def _dict(machine: Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(Node(DICT, pairs=_paired(items)))


def _frozenset(machine: Machine, _: object) -> None:
    items = machine.pop_mark()
    machine.stack.append(Node(FROZENSET, items=items))


def _append(machine: Machine, _: object) -> None:
    item = machine.pop()
    _items_of(machine.top()).append(item)


def _append_all(machine: Machine, _: object) -> None:
    items = machine.pop_mark()
    _items_of(machine.top()).extend(items)


def _set_item(machine: Machine, _: object) -> None:
    value, key = machine.pop(), machine.pop()
    _node(machine.top()).pairs.append((key, value))


def _set_items(machine: Machine, _: object) -> None:
    items = machine.pop_mark()
    _node(machine.top()).pairs.extend(_paired(items))


def _import(machine: Machine, argument: object) -> None:
    assert isinstance(argument, tuple)
    machine.stack.append(machine.imported(*argument))


def _import_from_stack(machine: Machine, _: object) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.imported(module, name))


def _extension(machine: Machine, argument: object) -> None:
    machine.stack.append(machine.imported("copyreg", f"extension {argument}"))


def _reduce(machine: Machine, _: object) -> None:
    arguments, origin = machine.pop(), machine.pop()
    machine.stack.append(Node(origin, _arguments(arguments)))


def _new_with_keywords(machine: Machine, _: object) -> None:
    keywords, arguments, origin = machine.pop(), machine.pop(), machine.pop()
    machine.stack.append(Node(origin, (*_arguments(arguments), keywords)))


def _instance(machine: Machine, argument: object) -> None:
    assert isinstance(argument, tuple)
    arguments = machine.pop_mark()
    machine.stack.append(Node(machine.imported(*argument), tuple(arguments)))


def _object(machine: Machine, _: object) -> None:
    items = machine.pop_mark()
    if not items:
        raise FormatError("the pickle makes an object of nothing")
    machine.stack.append(Node(items[0], tuple(items[1:])))


def _build(machine: Machine, _: object) -> None:
    state = machine.pop()
    _node(machine.top()).states.append(state)


def _persistent(machine: Machine, _: object) -> None:
    machine.stack.append(Persistent(machine.pop()))


def _persistent_text(machine: Machine, argument: object) -> None:
    machine.stack.append(Persistent(argument))


_ACTIONS: dict[str, Callable[[Machine, object], None]] = {
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
