"""Health: whether the process lives, and whether it can serve."""

from __future__ import annotations

import tempfile

import msgspec
from sqlalchemy import text

from modelshelf.registry.routing import Call, Resource

API = Resource("health")


class Health(msgspec.Struct, frozen=True):
    """`ok`, or the request fails."""

    status: str


@API.route("GET", "/healthz", summary="Whether the process lives", returns=Health)
async def alive(_call: Call) -> Health:
    """Answer, which is all there is to know."""
    return Health("ok")


@API.route(
    "GET", "/readyz", summary="Whether the database answers and the disk takes bytes",
    returns=Health,
)  # fmt: skip
def ready(call: Call) -> Health:
    """Try the database and the disk; a failure is answered with 500 or 507."""
    with call.service.database.reading() as connection:
        connection.execute(text("SELECT 1"))
    with tempfile.TemporaryFile(dir=call.service.settings.data, buffering=0) as file:
        file.write(b"ready")
    return Health("ok")
