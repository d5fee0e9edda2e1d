"""The list of families: the largest first, by task."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from modelshelf.registry import families
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.routing import Call

PER_PAGE = 50
_SHARED = 2
"""Models that are alone in their family are shown only where that is asked for."""


class Task(NamedTuple):
    """A task with the number of its families; `url` chooses it, or gives it up."""

    name: str
    families: int
    chosen: bool
    url: str


class Asked(NamedTuple):
    """What a reader asked of the list."""

    task: str = ""
    alone: bool = False
    offset: int = 0

    def url(self) -> str:
        """The address that shows this."""
        told = [("task", self.task)] if self.task else []
        told += [("alone", "yes")] if self.alone else []
        told += [("offset", str(self.offset))] if self.offset else []
        return "/families" + (f"?{urlencode(told, errors='replace')}" if told else "")


def listed(call: Call) -> Response:
    """Show one page of the list."""
    wanted = Asked(
        (call.query("task") or "")[:100],
        call.query("alone") == "yes",
        _offset(call.query("offset")),
    )
    least = 1 if wanted.alone else _SHARED
    key = {"task": wanted.task} if wanted.task else {}
    with call.service.database.reading() as connection:
        found = families.listed(connection, key, least=least, offset=wanted.offset, limit=PER_PAGE)
        tasks = families.tasks(connection, least)
    following = wanted.offset + PER_PAGE
    before = wanted._replace(offset=max(wanted.offset - PER_PAGE, 0))
    context = {
        "families": found.families,
        "total": found.total,
        "tasks": tuple(_task(wanted, *each) for each in tasks),
        "asked": wanted,
        "other": wanted._replace(alone=not wanted.alone, offset=0).url(),
        "previous": before.url() if wanted.offset else None,
        "next": wanted._replace(offset=following).url() if following < found.total else None,
    }
    return page(call.request, "families.html", context)


def _task(wanted: Asked, name: str, number: int) -> Task:
    chosen = name == wanted.task
    url = wanted._replace(task="" if chosen else name, offset=0).url()
    return Task(name, number, chosen, url)


def _offset(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 0


PAGE = Page("/families", listed)
