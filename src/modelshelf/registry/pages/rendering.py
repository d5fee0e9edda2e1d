"""Templates to responses: the environment, its filters, the stylesheet's address, ETags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from modelshelf.package.entry import Entry, File
from modelshelf.package.record import Parameter
from modelshelf.package.signature import Tensor
from modelshelf.study import paper

_UNITS = ("kB", "MB", "GB", "TB", "PB")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_LINK = re.compile(r"https?://[^\s<>\"']{1,2000}")
_OWN_FILE = re.compile(r"/files/[0-9a-f]{64}")
_MOST_ITEMS = 50
_PLAIN_CHARACTERS = 60


def page(
    request: Request, template: str, context: Mapping[str, object], *, status: int = 200
) -> Response:
    """`template` filled with `context`; 304 where the reader's copy is still the same."""
    body = _environment().get_template(template).render(context).encode(errors="replace")
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if status == 200 and tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(body, status_code=status, headers=headers)


@cache
def stylesheet() -> tuple[str, bytes]:
    """The stylesheet's URL, which changes with its content, and its bytes."""
    content = files(__package__).joinpath("shelf.css").read_bytes()
    return f"/static/shelf.{hashlib.sha256(content).hexdigest()[:12]}.css", content


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["stylesheet"] = stylesheet()[0]
    environment.filters |= {
        "arguments": arguments,
        "coded": coded,
        "count": count,
        "day": day,
        "details": details,
        "file_url": file_url,
        "first_items": first_items,
        "hub_name": hub_name,
        "package_url": package_url,
        "plain": plain,
        "size": size,
        "total_size": total_size,
        "words": words,
    }
    environment.tests |= {
        "link": is_link,
        "moment": is_moment,
        "own_file": is_own_file,
    }
    return environment


def size(number_of_bytes: int) -> str:
    """`1536` → `1.5 kB`; three digits at most, units of a thousand."""
    if number_of_bytes < 1000:
        return f"{number_of_bytes} B"
    amount = float(number_of_bytes)
    for unit in _UNITS:
        amount /= 1000
        if amount < 999.5 or unit == _UNITS[-1]:
            break
    return f"{amount:.0f} {unit}" if amount >= 100 else f"{amount:.3g} {unit}"


def count(number: float) -> str:
    """A number with thin spaces between thousands; fractions to five significant digits."""
    if isinstance(number, float) and (not number.is_integer() or abs(number) > 1e15):
        return f"{number:.5g}"
    return f"{int(number):,}".replace(",", "\u202f")


def day(moment: str | None) -> str:
    """The day of an RFC 3339 moment: `2026-03-01`."""
    return (moment or "")[:10]


def coded(text: str) -> Markup:
    """A sentence as a lint writes it: what stands between backticks becomes code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    made = (
        Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts)
    )
    return Markup("").join(made)


def words(identifier: object) -> str:
    """`hyper_parameters` → `hyper parameters`."""
    return str(identifier).replace("_", " ")


def package_url(name: str) -> str:
    """The page of the package called `name`."""
    return f"/{quote(name)}"


def hub_name(hub: str | None) -> str:
    """How a hub calls itself; what was published here is of this registry."""
    return str(paper.figures("hubs").get(hub, {}).get("name", hub)) if hub else "this registry"


def file_url(file: File) -> str:
    """Where a file is fetched, by digest."""
    return f"/files/{file.sha256}"


def total_size(entry: Entry) -> int:
    """The release's size in bytes."""
    return sum(file.size for file in entry.files)


def is_link(value: object) -> bool:
    """Whether `value` is a web address, and one that may stand in a link."""
    return isinstance(value, str) and bool(_LINK.fullmatch(value))


def is_own_file(value: object) -> bool:
    """Whether `value` is the address of a file of this registry."""
    return isinstance(value, str) and bool(_OWN_FILE.fullmatch(value))


def first_items(mapping: Mapping[str, object]) -> list[tuple[str, object]]:
    """The first fifty items of a mapping."""
    return list(islice(mapping.items(), _MOST_ITEMS))


def is_moment(value: object) -> bool:
    """Whether `value` is an RFC 3339 moment."""
    return isinstance(value, str) and bool(_MOMENT.match(value)) and len(value) <= 35


def plain(values: Sequence[object]) -> bool:
    """Whether a list is short enough to stand in one line, its values between commas."""
    return len(values) <= 12 and all(
        isinstance(value, int | float)
        or (isinstance(value, str) and len(value) < _PLAIN_CHARACTERS and not is_link(value))
        for value in values
    )


def details(tensor: Tensor) -> str:
    """What a tensor's type does not show: range, layout, labels, optional, description."""
    low_high = tensor.range and f"{tensor.range[0]:g} to {tensor.range[1]:g}"
    labels = tensor.labels and f"labels in {tensor.labels}"
    optional = "optional" if tensor.optional else None
    parts = (low_high, tensor.layout, labels, optional, (tensor.description or "")[:400])
    return ", ".join(part for part in parts if part)


def arguments(parameters: Sequence[Parameter]) -> str:
    """An entrypoint's parameters as Python writes them."""
    return ", ".join(
        parameter.name
        + (f": {parameter.type}" if parameter.type else "")
        + (f" = {parameter.default}" if parameter.default is not None else "")
        for parameter in parameters
    )
