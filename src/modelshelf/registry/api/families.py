"""Families of models: variants of the same task, algorithm, data and language, of any package."""

from __future__ import annotations

from modelshelf.errors import UsageError
from modelshelf.registry import families
from modelshelf.registry.families import Family, Listed
from modelshelf.registry.routing import Call, Resource

API = Resource("families")
BY = ("task", "algorithm", "dataset", "language", "package")
_MOST_DIGITS = 7


@API.route(
    "GET", "/api/v1/families",
    summary="Families, the largest first, by the parts of their key or by a package",
    returns=Listed, query=(*BY, "least", "offset", "limit"),
)  # fmt: skip
def listed(call: Call) -> Listed:
    """List families that match all that is asked for; `least` is how many models they have."""
    wanted = {part: value for part in BY if (value := call.query(part))}
    numbers = {"least": 1, "offset": 0, "limit": 20}
    asked = {name: _number(call, name, usual) for name, usual in numbers.items()}
    with call.service.database.reading() as connection:
        return families.listed(connection, wanted, **asked)


@API.route(
    "GET", "/api/v1/families/{id}",
    summary="A family: its members, what varies, generations, the same in other catalogues",
    returns=Family,
)  # fmt: skip
def family(call: Call) -> Family:
    """Show a family."""
    with call.service.database.reading() as connection:
        return families.find(connection, call.path("id"))


def _number(call: Call, name: str, usual: int) -> int:
    text = call.query(name) or str(usual)
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise UsageError(f"`{name}` must be a whole number", expected="0 or more", got=text[:40])
    return int(text)
