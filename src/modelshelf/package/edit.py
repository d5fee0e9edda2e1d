"""Changing a `shelf.toml` in place: what its author wrote around the change stays as it was."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import tomlkit
from tomlkit.items import InlineTable, Table

from modelshelf.errors import Invalid
from modelshelf.package.record import Dependency


def set_dependency(text: str, name: str, wanted: Dependency) -> str:
    """The document with `name` under `[dependencies]`, in the short form where that says it all."""
    document = _document(text)
    if "dependencies" not in document:
        document["dependencies"] = tomlkit.table()
    table = document["dependencies"]
    fields = msgspec.to_builtins(wanted)
    if not isinstance(table, Table | InlineTable):
        raise Invalid("`dependencies` must be a table", where="shelf.toml")
    table[name] = fields["version"] if len(fields) == 1 else _inline(fields)
    return tomlkit.dumps(document)


def drop_dependency(text: str, name: str) -> str:
    """The document without `name` under `[dependencies]`; unchanged where it is not there."""
    document = _document(text)
    table = document.get("dependencies")
    if isinstance(table, Table | InlineTable) and name in table:
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


def _document(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except tomlkit.exceptions.TOMLKitError as error:
        raise Invalid(f"not valid TOML: {error}", where="shelf.toml") from None


def _inline(fields: Mapping[str, object]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(fields)
    return table
