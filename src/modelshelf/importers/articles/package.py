"""What a page says of its package: each field of `[package]` with how it is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from modelshelf.importers.articles.reading import Reading, source
from modelshelf.importers.articles.variants import Facts, Told
from modelshelf.importers.page import links as linked
from modelshelf.importers.page.front_matter import items
from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.labels import one_line
from modelshelf.importers.page.licenses import expression, stated
from modelshelf.importers.page.people import people
from modelshelf.importers.page.purpose import Purpose
from modelshelf.importers.page.usage import usage
from modelshelf.package.catalogue import Found
from modelshelf.package.record import Developer

NOTEBOOKS = (
    "https://colab.research.google.com/github/pytorch/pytorch.github.io/blob/master/assets/hub/"
)
"""Where the hub makes a notebook of every page."""
ISSUES = "https://github.com/pytorch/hub/issues"
"""Where the hub sends who presses `Not working?` on a page."""
CONTRIBUTING = "https://github.com/pytorch/hub"
"""Where the hub takes pages, and changes to them, by pull requests."""
_CITED_LICENSE = re.compile(r"\blicense\s{0,5}=\s{0,5}[{\"]([\w .+-]{2,40})[}\"]", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,1900}")


class Fields(NamedTuple):
    """The fields that are filled, by name, and how each is known, by dotted place."""

    values: dict[str, Any]
    found: dict[str, Found]


class _Fact(NamedTuple):
    value: object = None
    found: Found | None = None


_NOTHING = _Fact()


def fields(reading: Reading, facts: Facts, told: Told, meant: Purpose | None) -> Fields:
    """What the page says of the package, beside its name and version."""
    links = linked.read(reading.page, reading.account)
    known = {
        "summary": _summary(reading),
        "license": _license(reading),
        "task": _Fact(meant.task, Found("text", unsure=not meant.told)) if meant else _NOTHING,
        "algorithm": _Fact(
            facts.algorithms.package, Found("name", unsure=not facts.algorithms.told)
        ),
        "datasets": _Fact(facts.data.package, Found("text", unsure=not facts.data.told)),
        "language": _Fact(", ".join(told.languages), Found("code")),
        "keywords": _Fact(items(reading.draft.labels.get("tags", ())), Found("label")),
        "developers": _developers(reading),
        "source": _Fact(source(reading), Found("label" if _labelled(reading) else "code")),
        "issues": _issues(links.issues),
        "contributing": _Fact(CONTRIBUTING, Found("hub")),
        "homepage": _first(links.homepages, Found("text")),
        "papers": _Fact(tuple(filter(_ADDRESS.fullmatch, links.papers)), Found("text")),
        "demo": _demo(reading),
        "usage": _usage(reading),
    }
    filled = {name: fact for name, fact in known.items() if fact.value}
    return Fields(
        {name: fact.value for name, fact in filled.items()},
        {f"package.{name}": fact.found for name, fact in filled.items() if fact.found},
    )


def _summary(reading: Reading) -> _Fact:
    written = reading.draft.first("summary") or reading.draft.first("title")
    if written:
        return _Fact(one_line(written)[0], Found("label"))
    text = next((plain(block.text) for block in reading.page.paragraphs), "")
    return _Fact(one_line(text)[0] if text else None, Found("text", unsure=True))


def _license(reading: Reading) -> _Fact:
    """The license that the page names, or that it cites its software with."""
    named = stated(reading.page)
    if named:
        return _Fact(named.expression, Found("text", unsure=named.unsure))
    for block in reading.page.code:
        if cited := _CITED_LICENSE.search(block.text):
            return _Fact(expression(cited[1]), Found("code", unsure=True))
    return _NOTHING


def _developers(reading: Reading) -> _Fact:
    """The author that the page names, else the account that its sources lie under."""
    made = people(reading.draft.first("author"), reading.account)
    if made.developers:
        return _Fact(made.developers, Found("label", unsure=made.unsure))
    account = Developer(reading.account[:100], kind="organization")
    return _Fact((account,), Found("name", unsure=True))


def _demo(reading: Reading) -> _Fact:
    """The demo that the labels name; else the notebook that the hub makes of every page."""
    labels = (reading.draft.first("demo-model-link"), reading.draft.first("colab-link"))
    named = next(filter(_ADDRESS.fullmatch, labels), None)
    return _Fact(
        named or f"{NOTEBOOKS}{_quoted(reading)}.ipynb", Found("label" if named else "hub")
    )


def _quoted(reading: Reading) -> str:
    return re.sub(r"[^\w.-]", "_", reading.draft.name, flags=re.ASCII)


def _issues(addresses: Iterable[str]) -> _Fact:
    named = _first(addresses, Found("text"))
    return named if named.value else _Fact(ISSUES, Found("hub"))


def _first(addresses: Iterable[str], found: Found) -> _Fact:
    address = next(filter(_ADDRESS.fullmatch, addresses), None)
    return _Fact(address, found) if address else _NOTHING


def _usage(reading: Reading) -> _Fact:
    shown = usage(reading.page)
    return _Fact(shown.text, Found(shown.source)) if shown else _NOTHING


def _labelled(reading: Reading) -> bool:
    return "github.com" in reading.draft.first("github-link")
