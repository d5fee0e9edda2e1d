# ruff: noqa: INP001
"""Write the pages of `docs/reference` from the tables of the code: `make docs`."""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from modelshelf import checks, formats
from modelshelf.checks import semver
from modelshelf.checks.diff import Lint
from modelshelf.cli import dispatch
from modelshelf.errors import Problem, ShelfError
from modelshelf.package import name, signature
from modelshelf.package.elements import DIMENSIONS, ELEMENTS, Element
from modelshelf.package.environment import Environment
from modelshelf.package.manifest import Project, Resolution
from modelshelf.package.record import Record
from modelshelf.package.vocabularies import vocabulary
from modelshelf.plugins import module_names
from modelshelf.registry import app, openapi
from modelshelf.registry.replies import STATUS

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py: change the code it reads, then run `make docs`. -->\n\n"
LISTS = {"task": "tasks", "format": "formats", "contexts": "contexts", "context": "contexts",
         "precision": "precisions", "dtype": "dtypes"}  # fmt: skip
"""Keys of shelf.toml whose values come from a closed list → the section that lists them."""


def pages() -> dict[str, str]:
    """File name → text of every generated page."""
    made = {
        "cli.md": cli(),
        "elements.md": elements(),
        "exit-codes.md": exit_codes(),
        "errors.md": errors(),
        "formats.md": formats_page(),
        "vocabularies.md": vocabularies(),
        "api.md": api(),
        "checks.md": checks_page(),
        "lints.md": lints_page(),
        "manifest.md": manifest(),
    }
    return {file: NOTE + text.strip() + "\n" for file, text in made.items()}


def cli() -> str:
    """Every command with its arguments, from the parsers themselves."""
    parts = _opened("cli")
    for command in dispatch.names():
        parser = _subparser(command)
        parts += [f"## shelf {command}", parser.description or "", f"    {_usage(command, parser)}"]
        rows = [_argument(action) for action in _arguments(parser)]
        parts.append(_table(("argument", "meaning"), rows))
    return _joined(parts)


def _opened(page: str) -> list[str]:
    """Title and opening text of a page, from generate.toml."""
    words = tomllib.loads((FOLDER.parent / "generate.toml").read_text(encoding="utf-8"))[page]
    return [f"# {words['title']}", words["text"].strip()]


def _subparser(command: str) -> argparse.ArgumentParser:
    for action in dispatch.parser_for(command)._actions:  # noqa: SLF001 (argparse tells no other way)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return cast("argparse.ArgumentParser", action.choices[command])
    raise LookupError(command)


def _arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Arguments that are shown: not help, not the two that every command has."""
    common = {"help", "json", "quiet"}
    return [
        action
        for action in parser._actions  # noqa: SLF001
        if action.dest not in common and action.help != argparse.SUPPRESS
    ]


def _usage(command: str, parser: argparse.ArgumentParser) -> str:
    actions = _arguments(parser)
    positional = [_called(action) for action in actions if not action.option_strings]
    options = ["[OPTIONS]"] if len(positional) < len(actions) else []
    return " ".join(["shelf", command, *options, *positional])


def _called(action: argparse.Action) -> str:
    shown = _metavar(action)
    if action.nargs == "?":
        return f"[{shown}]"
    if action.nargs == "*":
        return f"[{shown} ...]"
    return f"{shown} [{shown} ...]" if action.nargs == "+" else shown


def _metavar(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _argument(action: argparse.Action) -> tuple[str, str]:
    if not action.option_strings:
        return f"`{_called(action)}`", action.help or ""
    value = "" if action.nargs == 0 else f" {_metavar(action)}"
    return f"`{', '.join(action.option_strings)}{value}`", action.help or ""


def elements() -> str:
    """The 33 information elements by dimension."""
    parts = _opened("elements")
    for dimension in DIMENSIONS:
        rows = [_element(each) for each in ELEMENTS if each.dimension == dimension]
        heads = ("id", "name", "what", "declared in", "otherwise", "level")
        parts += [f"## {dimension}", _table(heads, rows)]
    return _joined(parts)


def _element(each: Element) -> tuple[str, ...]:
    fields = ", ".join(f"`{field}`" for field in each.fields)
    return (f"`{each.id}`", each.name, each.description, fields, each.source, each.level or "")


def _classes() -> list[type[ShelfError]]:
    return [ShelfError, *ShelfError.__subclasses__()]


def exit_codes() -> str:
    """Exit codes of the command line, from the errors."""
    rows = [("0", "", "Done.")]
    for code in sorted({each.exit_code for each in _classes()}):
        found = [each for each in _classes() if each.exit_code == code]
        named = ", ".join(f"[{each.__name__}](errors.md)" for each in found)
        meaning = (
            "Something was found (`shelf check`, `shelf outdated`) or something failed."
            if code == 1
            else " ".join(_doc(each) for each in found)
        )
        rows.append((str(code), named, meaning))
    rows.append(("130", "", "Stopped from the keyboard."))
    return _joined([*_opened("exit-codes"), _table(("code", "errors", "meaning"), rows)])


def errors() -> str:
    """Every error class, with its exit code and its HTTP status."""
    rows = [
        (f"`{each.__name__}`", str(each.exit_code), str(STATUS.get(each, "")), _doc(each))
        for each in _classes()
    ]
    return _joined(
        [
            *_opened("errors"),
            _table(("class", "exit code", "HTTP status", "meaning"), rows),
            "## Problems",
            f"`Invalid` carries all problems at once. {inspect.cleandoc(Problem.__doc__ or '')}",
        ]
    )


def formats_page() -> str:
    """What the readers say of their formats, and the names without a reader."""
    parts = _opened("formats")
    for each in formats.formats().values():
        rows = [
            ("framework", each.framework),
            ("suffixes", ", ".join(f"`{suffix}`" for suffix in each.suffixes)),
            ("contexts", ", ".join(each.contexts)),
            ("can carry code", "yes" if each.carries_code else "no"),
            ("advantages", each.advantages),
            ("disadvantages", each.disadvantages),
        ]
        parts += [f"## {each.name}", _table(("", ""), rows)]
    others = sorted(vocabulary("formats").keys() - formats.formats().keys())
    parts += [
        "## Formats without a reader",
        "Known words, but nothing here reads them yet: `shelf check` refuses an artifact in one. "
        + ", ".join(f"`{each}`" for each in others),
    ]
    return _joined(parts)


def vocabularies() -> str:
    """The closed lists that words of a record come from."""
    parts = _opened("vocabularies")
    for list_name in ("tasks", "formats", "contexts", "precisions"):
        rows = [(f"`{word}`", meaning) for word, meaning in vocabulary(list_name).items()]
        parts += [f"## {list_name}", _table(("word", "meaning"), rows)]
    parts += [
        "## dtypes",
        ", ".join(f"`{dtype}`" for dtype in signature.DTYPES),
        "## Reserved publishers",
        "Nobody can own these: " + ", ".join(f"`{each}`" for each in sorted(name.RESERVED)) + ".",
    ]
    return _joined(parts)


def api() -> str:
    """The registry's HTTP API, from its OpenAPI document."""
    document: Any = openapi.document(app.endpoints(), "")
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            text = _operation(method.upper(), path, operation)
            by_tag.setdefault(operation["tags"][0], []).append(text)
    parts = _opened("api")
    for tag in sorted(by_tag):
        parts += [f"## {tag} endpoints", *by_tag[tag]]
    parts += ["## Schemas"]
    for schema_name, schema in sorted(document["components"]["schemas"].items()):
        parts += [f"### {schema_name}", schema.get("description", ""), _properties(schema)]
    return _joined(parts)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    needs = operation.get("x-scope")
    words = {None: "no token", "any": "any token", "password": "account and password (HTTP Basic)"}
    facts = [("needs", words.get(needs, f"a token with the scope `{needs}`"))]
    queries = [f"`{each['name']}`" for each in operation["parameters"] if each["in"] == "query"]
    if queries:
        facts.append(("query", ", ".join(queries)))
    if "requestBody" in operation:
        facts.append(("body", _content(operation["requestBody"])))
    status, answer = next(iter(operation["responses"].items()))
    facts.append(("answer", f"{status} {_content(answer)}"))
    lines = [f"* {label}: {value}".rstrip() for label, value in facts]
    return "\n".join([f"### {method} {path}\n\n{operation['summary']}.\n", *lines])


def _content(part: Mapping[str, Any]) -> str:
    content = part.get("content")
    return _schema(content["application/json"]["schema"]) if content else ""


def _properties(schema: Mapping[str, Any]) -> str:
    rows = [
        (f"`{key}`", _schema(each), "yes" if key in schema.get("required", []) else "")
        for key, each in schema.get("properties", {}).items()
    ]
    return _table(("field", "type", "always there"), rows)


def _schema(schema: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in schema:
        named = str(schema["$ref"]).rpartition("/")[2]
        return f"[{named}](#{named.lower().replace('.', '')})"
    if "anyOf" in schema:
        return " or ".join(_schema(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    kind = str(schema.get("type", "any JSON"))
    if kind == "array":
        return f"array of {_schema(schema.get('items') or {})}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_schema(schema['additionalProperties'])}"
    return kind


def checks_page() -> str:
    """Every check that a release goes through."""
    rows = []
    for check in checks.checks():
        module = inspect.getmodule(check)
        assert module is not None
        kind, rule = module.__name__.split(".")[-2:]
        rows.append((f"`{rule}`", kind, _doc(module)))
    return _joined([*_opened("checks"), _table(("rule", "kind", "what must hold"), rows)])


def lints_page() -> str:
    """Every rule by which the level of a release is computed, area by area."""
    parts = _opened("lints")
    for area in module_names(semver.__name__):
        module = importlib.import_module(f"{semver.__name__}.{area}")
        rows = [_lint(each) for each in getattr(module, "LINTS", ())]
        if rows:
            heads = ("id", "level", "axis", "what and why", "what callers must do")
            parts += [f"## {area.capitalize()}", _doc(module), _table(heads, rows)]
    return _joined(parts)


def _lint(each: Lint) -> tuple[str, ...]:
    return (f"`{each.id}`", each.level, each.axis or "", each.about, each.advice or "")


def manifest() -> str:
    """Every key of shelf.toml, from the record's types."""
    parts = _opened("manifest")
    parts += _tables(msgspec.inspect.type_info(Record), "")
    parts += [
        "## In a project",
        _doc(Project),
        _keys(msgspec.inspect.type_info(Project), ""),
        '`"acme/digits" = "^1.0"` is short for `"acme/digits" = { version = "^1.0" }`.',
    ]
    for place, table in (("environments.NAME", Environment), ("resolution", Resolution)):
        told = inspect.getdoc(table) or ""
        parts += [f"## `[{place}]`", told, _keys(msgspec.inspect.type_info(table), "")]
    return _joined(parts)


def _tables(kind: msgspec.inspect.Type, place: str) -> list[str]:
    """A section for this struct and for each struct below it."""
    struct = _struct(kind)
    if struct is None:
        return []
    parts: list[str] = []
    if place:
        parts += [f"## {_header(place)}", _doc(struct.cls), _keys(struct, place)]
    for field in struct.fields:
        parts += _tables(field.type, f"{place}.{field.encode_name}{_below(field.type)}".strip("."))
    return parts


def _below(kind: msgspec.inspect.Type) -> str:
    if isinstance(kind, msgspec.inspect.DictType):
        return ".NAME"
    return "[]" if isinstance(kind, msgspec.inspect.VarTupleType) else ""


def _header(place: str) -> str:
    many = place.endswith("[]")
    plain = place.replace("[]", "")
    return f"`[[{plain}]]`" if many else f"`[{plain}]`"


def _struct(kind: msgspec.inspect.Type) -> msgspec.inspect.StructType | None:
    """The struct that `kind` is, or holds as items, values or one alternative."""
    if isinstance(kind, msgspec.inspect.StructType):
        return kind
    if isinstance(kind, msgspec.inspect.DictType):
        return _struct(kind.value_type)
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return _struct(kind.item_type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return next(filter(None, map(_struct, kind.types)), None)
    return None


def _keys(kind: msgspec.inspect.Type, place: str) -> str:
    struct = _struct(kind)
    assert struct is not None
    prefix = place.replace("[]", "").replace(".NAME", "")
    declared = {field: each.id for each in ELEMENTS for field in each.fields}
    rows = []
    for field in struct.fields:
        key = field.encode_name
        element = declared.get(f"{prefix}.{key}") or declared.get(prefix) or ""
        default = "required" if field.required else _default(field.default)
        rows.append(
            (f"`{key}`", _typed(key, field.type), default, f"`{element}`" if element else "")
        )
    return _table(("key", "type", "default", "element"), rows)


def _default(value: object) -> str:
    empty = value in (None, msgspec.NODEFAULT, (), {}) or isinstance(value, msgspec.Struct)
    return "" if empty else f"`{msgspec.json.encode(value).decode()}`"


def _typed(key: str, kind: msgspec.inspect.Type) -> str:
    words = _words(kind)
    listed = LISTS.get(key) if _struct(kind) is None else None
    return f"{words}: [{listed}](vocabularies.md#{listed})" if listed else words


def _words(kind: msgspec.inspect.Type) -> str:
    """A type in the words of TOML."""
    if isinstance(kind, msgspec.inspect.LiteralType):
        return " or ".join(f"`{each}`" for each in kind.values)
    if isinstance(kind, msgspec.inspect.UnionType):
        given = [each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType)]
        return " or ".join(map(_words, given))
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return f"array of {_words(kind.item_type)}"
    if isinstance(kind, msgspec.inspect.TupleType):
        return f"array of {len(kind.item_types)} {_words(kind.item_types[0])}s"
    if isinstance(kind, msgspec.inspect.DictType):
        return f"table of {_words(kind.value_type)}"
    return {
        msgspec.inspect.StructType: "table",
        msgspec.inspect.StrType: "string",
        msgspec.inspect.BoolType: "boolean",
        msgspec.inspect.IntType: "integer",
        msgspec.inspect.FloatType: "number",
    }.get(type(kind), "any")


def _doc(thing: object) -> str:
    """The first sentence or paragraph of a docstring, on one line."""
    text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]
    return "\n".join(lines) if len(lines) > 2 else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def write(folder: Path = FOLDER) -> None:
    """Write every page below `folder`."""
    for file, text in pages().items():
        (folder / file).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
