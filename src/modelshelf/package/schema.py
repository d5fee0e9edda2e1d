"""Walking a raw document along the record's types: every problem at once, each with its place.

The types of `record` are the schema; msgspec stops at the first mistake, a publisher wants all of
them. The same walk meets every leaf, where `rules` (pattern → what is wrong with the value) apply.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

import msgspec
from msgspec import inspect

from modelshelf.package.vocabularies import nearest

Place = tuple[str | int, ...]
Rule = Callable[[object], "Wrong | None"]


class Wrong(NamedTuple):
    """What is wrong with one value, and what would be right."""

    message: str
    hint: str | None = None


class Found(NamedTuple):
    """A wrong value and its place in the document."""

    place: Place
    wrong: Wrong


def dotted(place: Place) -> str:
    """`("variants", 0, "name")` → `variants[0].name`."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def walk(document: object, model: type, rules: Mapping[str, Rule]) -> Iterator[Found]:
    """Yield everything in `document` that does not fit `model` or breaks a rule."""
    yield from _walk(_kind(model), document, (), rules)


@cache
def _kind(model: type) -> inspect.Type:
    return inspect.type_info(model)


def _walk(
    kind: inspect.Type, value: object, place: Place, rules: Mapping[str, Rule]
) -> Iterator[Found]:
    kind = _alternative(kind, value)
    if not _fits(kind, value):
        yield Found(place, Wrong(f"expected {_words(kind)}, got {_shown(value)}"))
        return
    rule = rules.get(_pattern(place))
    wrong = _unstorable(value) or (rule(value) if rule else None)
    if wrong:
        yield Found(place, wrong)
    if isinstance(kind, inspect.StructType):
        assert isinstance(value, dict)
        yield from _walk_struct(kind, value, place, rules)
    elif isinstance(kind, inspect.DictType):
        assert isinstance(value, dict)
        for key, inner in value.items():
            yield from _key_problem(key, place, rules)
            yield from _walk(kind.value_type, inner, (*place, key), rules)
    elif isinstance(kind, (inspect.VarTupleType, inspect.TupleType)):
        assert isinstance(value, (list, tuple))
        for number, inner in enumerate(value):
            yield from _walk(_item(kind, number), inner, (*place, number), rules)


def _item(kind: inspect.VarTupleType | inspect.TupleType, number: int) -> inspect.Type:
    return kind.item_type if isinstance(kind, inspect.VarTupleType) else kind.item_types[number]


def _walk_struct(
    kind: inspect.StructType, value: Mapping[str, object], place: Place, rules: Mapping[str, Rule]
) -> Iterator[Found]:
    fields = {field.encode_name: field for field in kind.fields}
    for key, inner in value.items():
        if key in fields:
            yield from _walk(fields[key].type, inner, (*place, key), rules)
        else:
            hint = nearest(key, list(fields)) or f"known here: {', '.join(sorted(fields))}"
            yield Found((*place, key), Wrong(f"unknown key `{key[:60]}`", hint))
    for name, field in fields.items():
        if field.required and name not in value:
            yield Found(
                (*place, name), Wrong(f"`{dotted((*place, name))}` is missing", _example(name))
            )


def _example(name: str) -> str | None:
    """How to add a table that nothing can do without; a plain key explains itself."""
    return {
        "package": 'add a table [package] with name = "publisher/name" and version = "0.1.0"',
        "variants": "add a table [[variants]] with a name and [[variants.artifacts]] below it",
        "artifacts": 'add a table [[variants.artifacts]] with format = "onnx" and files = ["..."]',
    }.get(name)


def _key_problem(key: str, place: Place, rules: Mapping[str, Rule]) -> Iterator[Found]:
    rule = rules.get(_pattern((*place, key)) + ".<key>")
    wrong = _unstorable(key) or (rule(key) if rule else None)
    if wrong:
        yield Found((*place, key), wrong)


def _pattern(place: Place) -> str:
    """The place with what the publisher chose left open: `variants.*.artifacts.*.format`."""
    free = {
        "dependencies": {1, 3},
        "environments": {1, 3},
        "signatures": {1, 3},
        "entrypoints": {1},
    }
    opened = free.get(str(place[0]), set()) if place else set()
    opened = opened | ({2} if place[:2] == ("requires", "frameworks") else set())
    return ".".join(
        "*" if isinstance(step, int) or number in opened else step
        for number, step in enumerate(place)
    )


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _unstorable(value: object) -> Wrong | None:
    """What JSON cannot carry to every reader, or a terminal must not print."""
    if isinstance(value, float) and not math.isfinite(value):
        return Wrong(f"must be finite, got {value}")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return Wrong("a whole number has at most 64 bits")
    if isinstance(value, str) and (found := _CONTROL.search(value)):
        return Wrong(f"holds the control character U+{ord(found[0]):04X}")
    return None


def _alternative(kind: inspect.Type, value: object) -> inspect.Type:
    """The member of a union that fits `value`; where none does, the first that is not null."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    fitting = next((each for each in kind.types if _fits(each, value)), None)
    return fitting or (others[0] if len(others) == 1 else kind)


def _fits(kind: inspect.Type, value: object) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_fits(each, value) for each in kind.types)
    if isinstance(kind, inspect.LiteralType):
        return value in kind.values
    if isinstance(kind, inspect.TupleType):
        return (
            isinstance(value, (list, tuple))
            and len(value) == len(kind.item_types)
            and all(map(_fits, kind.item_types, value))
        )
    if isinstance(kind, inspect.FloatType):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(kind, inspect.IntType):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _PYTHON_TYPES.get(type(kind), object))


_PYTHON_TYPES: dict[type, type | tuple[type, ...]] = {
    inspect.StructType: dict,
    inspect.DictType: dict,
    inspect.VarTupleType: (list, tuple),
    inspect.StrType: str,
    inspect.BoolType: bool,
    inspect.NoneType: type(None),
}

_WORDS = {
    inspect.StructType: "a table",
    inspect.DictType: "a table",
    inspect.VarTupleType: "an array",
    inspect.StrType: "a string",
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
}


def _words(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(f'"{each}"' for each in kind.values)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(
            _words(each) for each in kind.types if not isinstance(each, inspect.NoneType)
        )
    if isinstance(kind, inspect.TupleType):
        return f"an array of {len(kind.item_types)} values"
    return _WORDS.get(type(kind), "another value")


def _shown(value: object) -> str:
    try:
        text = msgspec.json.encode(value, enc_hook=str).decode()
    except (RecursionError, ValueError, OverflowError):  # nested or numbers without measure
        return f"something too large to show ({type(value).__name__})"
    return text if len(text) <= 60 else text[:59] + "…"
