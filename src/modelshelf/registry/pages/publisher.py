"""The page of a publisher: its packages, and who may publish under its name."""

from __future__ import annotations

from starlette.responses import Response

from modelshelf.errors import NotFound
from modelshelf.registry import accounts
from modelshelf.registry.importing.names import ACCOUNT
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.reading import packages_of, publisher_row
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.routing import Call


def publisher(call: Call) -> Response:
    """Show one publisher."""
    name = call.path("publisher")
    with call.service.database.reading() as connection:
        row = publisher_row(connection, name)
        if row is None:
            raise NotFound("There is no such publisher", where=name[:80])
        members = accounts.members(connection, name)
        packages = packages_of(connection, name)
    context = {
        "publisher": name,
        "display": row.display,
        "kind": row.kind,
        "packages": packages,
        "members": tuple(each for each in members.items() if each[0] != ACCOUNT),
        "imported": ACCOUNT in members,
    }
    return page(call.request, "publisher.html", context)


PAGE = Page("/{publisher}", publisher)
