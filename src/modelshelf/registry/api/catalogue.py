"""`GET /api/v1/catalogue`: everything that the registry knows, for studies and other registries."""

from __future__ import annotations

from modelshelf.package.catalogue import CataloguePart
from modelshelf.registry import catalogue
from modelshelf.registry.routing import Call, Resource

API = Resource("catalogue")


@API.route(
    "GET", "/api/v1/catalogue", summary="All releases as they are described, part by part",
    returns=CataloguePart, query=("after",),
)  # fmt: skip
def part(call: Call) -> CataloguePart:
    """Show the first part, or the one behind the `next` of another that is given as `after`."""
    service = call.service
    with service.database.reading() as connection:
        return catalogue.part(connection, service.raw, call.base_url, call.query("after"))
