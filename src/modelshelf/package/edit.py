"""Changing a `shelf.toml` in place: what its author wrote around the change stays as it was."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping

import msgspec
import tomlkit
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.items import InlineTable, Table

from modelshelf.errors import Invalid
from modelshelf.package.record import Cost, Dependency

Container = tomlkit.TOMLDocument | Table | InlineTable | OutOfOrderTableProxy
Tables = tuple[str, ...]
"""The tables above the one meant: `("tool", "modelshelf")` in a `pyproject.toml`."""


def set_dependency(text: str, name: str, wanted: Dependency, *, above: Tables = ()) -> str:
    """The document with `name` under `[dependencies]`, in the short form where that says it all."""
    document = _document(text)
    table: Container = document
    for step in (*above, "dependencies"):
        if step not in table:
            table[step] = tomlkit.table(is_super_table=step != "dependencies")
        below = table[step]
        if not isinstance(below, Table | InlineTable | OutOfOrderTableProxy):
            raise Invalid(f"`{step}` must be a table", where="shelf.toml")
        table = below
    fields = msgspec.to_builtins(wanted)
    table[name] = fields["version"] if len(fields) == 1 else _inline(fields)
    line = tomlkit.dumps({name: table[name]})
    # tomlkit puts a new table below dotted keys (`modelshelf.registries = []`) in a wrong place
    for changed in (tomlkit.dumps(document), _appended(text, (*above, "dependencies"), line)):
        if _is_set(text, changed, (*above, "dependencies"), line):
            return changed
    raise Invalid(
        "the file cannot be changed in place", where="shelf.toml", hint=f"add by hand: {line}"
    )


def _appended(text: str, tables: Tables, line: str) -> str:
    """`text` with a table more at its end."""
    return f"{text.rstrip()}\n\n[{'.'.join(tables)}]\n{line}"


def _is_set(before: str, after: str, tables: Tables, line: str) -> bool:
    """Whether `after` is `before` with `line` in the table, and nothing else changed."""
    try:
        wanted, found = tomllib.loads(before), tomllib.loads(after)
    except ValueError:
        return False
    table = wanted
    for step in tables:
        table = table.setdefault(step, {})
    table |= tomllib.loads(line)
    return wanted == found


def drop_dependency(text: str, name: str, *, above: Tables = ()) -> str:
    """The document without `name` under `[dependencies]`; unchanged where it is not there."""
    document = _document(text)
    table: object = document
    for step in (*above, "dependencies"):
        table = table.get(step) if isinstance(table, MutableMapping) else None
    if isinstance(table, MutableMapping) and name in table:
        del table[name]
    return tomlkit.dumps(document)


def set_version(text: str, version: str) -> str:
    """The document with `package.version` changed."""
    document = _document(text)
    package = document.get("package")
    if not isinstance(package, Table):
        raise Invalid("there is no [package] table", where="shelf.toml")
    package["version"] = version
    return tomlkit.dumps(document)


def set_cost(text: str, variant: str, format_name: str, cost: Cost) -> str:
    """The document with `cost` at the artifact of `variant` in this format.

    Raises Invalid where there is no such artifact.
    """
    document = _document(text)
    for each in document.get("variants", []):
        for artifact in each.get("artifacts", []):
            if (each.get("name"), artifact.get("format")) == (variant, format_name):
                artifact["cost"] = _inline(msgspec.to_builtins(cost))
                return tomlkit.dumps(document)
    raise Invalid(f"there is no artifact of `{variant}` in {format_name}", where="shelf.toml")


def _document(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except tomlkit.exceptions.TOMLKitError as error:
        raise Invalid(f"not valid TOML: {error}", where="shelf.toml") from None


def _inline(fields: Mapping[str, object]) -> InlineTable:
    table = tomlkit.inline_table()
    for name, value in fields.items():
        table[name] = _inline(value) if isinstance(value, Mapping) else value
    return table
