"""Catalogues that tests of the study write down in a line or two."""

from __future__ import annotations

from typing import Any

import msgspec

from modelshelf.package.catalogue import Catalogue, Described, Found, HubPublisher, Page
from modelshelf.package.record import Record


def release(
    name: str = "acme/digits",
    version: str = "1.0.0",
    *,
    variants: tuple[dict[str, Any], ...] = ({"name": "default"},),
    found: dict[str, Found] | None = None,
    record: dict[str, Any] | None = None,
    gone: str | None = None,
    **package: Any,
) -> Described:
    """One release; `package` and `record` say what its record holds beside its names."""
    whole = {
        "package": {"name": name, "version": version, **package},
        "variants": [{"artifacts": [], **each} for each in variants],
        **(record or {}),
    }
    return Described(
        record=msgspec.convert(whole, Record),
        handle=f"{name}/{version[0]}",
        url=f"https://hub.example/{name}/{version[0]}",
        page=f"{name}-{version}.md",
        found=found or {},
        gone=gone,
    )


def artifact(*formats: str, contexts: tuple[str, ...] = ("python",)) -> list[dict[str, Any]]:
    """Artifacts of a variant, without files."""
    return [{"format": each, "files": [], "contexts": contexts} for each in formats]


def catalogue(*releases: Described, name: str = "hub:here", **rest: Any) -> Catalogue:
    """A catalogue of releases, each from a page of its own."""
    pages = tuple(Page(each.page, "imported", "Model", each.handle) for each in releases)
    return Catalogue("hub", name, releases, pages, **rest)


ACME = HubPublisher("acme", "Acme", "Acme Vision", "organization")
