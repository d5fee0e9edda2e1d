"""Catalogues of a hub that does not exist, small enough to read."""

from __future__ import annotations

import msgspec

from modelshelf.package.catalogue import (
    Asset,
    Catalogue,
    Described,
    Found,
    HubPublisher,
    Page,
)
from modelshelf.package.record import (
    Artifact,
    Dependency,
    DependencyKind,
    Metric,
    Package,
    Record,
    Variant,
)

HUB = "tfhub"


def described(
    name: str = "acme/digits",
    version: int = 1,
    *,
    text: str = "## Overview\n\nReads digits of cheques.",
    needs: dict[str, str] | None = None,
    kind: DependencyKind = "preprocess",
    gone: str | None = None,
    asset: str | None = None,
    format: str = "tf-savedmodel",  # noqa: A002  the record's word
    **package: object,
) -> Described:
    """A release as an importer describes it: its handle is `acme/digits/1`."""
    said: dict[str, object] = {
        "name": name,
        "version": f"{version}.0.0",
        "summary": "Digits, read",
        "license": "Apache-2.0",
        "task": "image-classification",
        "algorithm": "CNN",
        "datasets": ("UCI Digits",),
        "language": "en",
    }
    record = Record(
        package=msgspec.convert(said | package, Package),
        variants=(
            Variant(
                "default",
                (Artifact(format, (), ("python", "remote")),),
                metrics=(Metric("top-1", 0.98, "uci-digits"),),
            ),
        ),
        dependencies={on: Dependency(need, kind) for on, need in (needs or {}).items()},
    )
    handle = f"{name}/{version}"
    return Described(
        record=record,
        handle=handle,
        url=f"https://hub.example/{handle}",
        page=f"docs/{handle}.md",
        text=text,
        found={
            "package.name": Found("name"),
            "package.summary": Found("text"),
            "package.license": Found("default"),
            "package.task": Found("label"),
            "package.algorithm": Found("label"),
            "variants.default.metrics": Found("table", unsure=True),
        },
        labels={"module-type": ("image-classification",)},
        assets=(Asset("default", format, asset),) if asset else (),
        gone=gone,
    )


def catalogue(
    *releases: Described,
    hub: str = HUB,
    publishers: tuple[HubPublisher, ...] = (),
    merged: dict[str, str] | None = None,
) -> Catalogue:
    """A snapshot of the hub; `merged` are handles of pages that became part of a release."""
    pages = [Page(each.page, "imported", "module", each.handle) for each in releases]
    pages += [
        Page(f"docs/{handle}.md", "merged", "lite", handle, into)
        for handle, into in (merged or {}).items()
    ]
    return Catalogue(hub, f"{hub}:snapshot", releases, tuple(pages), publishers)


def renamed(release: Described, handle: str) -> Described:
    """The same under another handle."""
    return msgspec.structs.replace(release, handle=handle, url=f"https://hub.example/{handle}")
