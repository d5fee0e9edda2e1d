"""The entrypoints that a page names → the record's, with what the page says of each."""

from __future__ import annotations

import re

from modelshelf.importers.page.entrypoints import Argument, Call
from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.markdown import Page, Paragraph, Table
from modelshelf.importers.page.models import Models
from modelshelf.package.record import Entrypoint, Parameter

longest_description_characters = 300
most_entrypoints = 200

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,199}")
_POINT = re.compile(r"[*_ ]{0,4}`([^`\n]{1,80})`[*_ ]{0,4}(?::|\s-|\s\u2013)\s(.*)", re.DOTALL)
_TYPES = {bool: "bool", int: "int", float: "float", str: "str"}


def is_callable(name: str) -> bool:
    """Whether a record can hold an entrypoint of this name."""
    return bool(_NAME.fullmatch(name))


def entrypoints(offered: Models, page: Page) -> dict[str, Entrypoint]:
    """The entrypoints of a page by name, those that are called first."""
    said = descriptions(page)
    return {
        name: Entrypoint(parameters=_parameters(call), description=said.get(name))
        for name, call in list(offered.entrypoints.items())[:most_entrypoints]
        if is_callable(name)
    }


def descriptions(page: Page) -> dict[str, str]:
    """What points (`name`: what it is) and tables with a description say, by name in code style."""
    found: dict[str, str] = {}
    for block in page.blocks:
        if isinstance(block, Paragraph) and block.item and (point := _POINT.match(block.text)):
            found.setdefault(point[1], plain(point[2])[:longest_description_characters])
        elif isinstance(block, Table):
            headers = [plain(cell).lower() for cell in block.header]
            column = headers.index("description") if "description" in headers else 0
            for row in block.rows if column else ():
                if len(row) > column:
                    said = plain(row[column])[:longest_description_characters]
                    found.setdefault(plain(row[0]), said)
    return {name: text for name, text in found.items() if text}


def _parameters(call: Call) -> tuple[Parameter, ...]:
    """The arguments of the first call; whether they must be given, no page says."""
    found: dict[str, Parameter] = {}
    for number, argument in enumerate(call.arguments, 1):
        name = argument.name or f"argument-{number}"
        found.setdefault(
            name, Parameter(name, _TYPES.get(type(argument.value)), None, _given(argument))
        )
    return tuple(found.values())


def _given(argument: Argument) -> str:
    values = (argument.value, *argument.others)
    return "such as " + ", ".join(f"`{value!r}`" for value in values[:10])
