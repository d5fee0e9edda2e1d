"""A foreign hub's description of its packages, as values: one record a release, its sources kept.

A **catalogue** is what an importer makes of a hub's pages. Each fact of a record is marked with
where on the page it was found, and every page is accounted for.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modelshelf.package.record import Kind, Record

Source = Literal["label", "text", "table", "code", "name", "default", "file", "hub"]
"""Where a fact was found: a label of the page, its sentences, a table, example code, the name of
the page or package, what the hub says holds where a page is silent, the files of the model, or
what the hub itself shows beside the page."""
Outcome = Literal["imported", "merged", "skipped"]
STORED = "modelshelf-catalogue-1"
"""What tables in Parquet call themselves that hold catalogues."""


class _Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all parts of a catalogue share: frozen, no defaults in JSON."""


class Found(_Value, frozen=True):
    """How one fact is known. `unsure` where another reading of the page is possible."""

    source: Source
    unsure: bool = False


class Asset(_Value, frozen=True):
    """Where the bytes of one artifact lie upstream; `url` is None where only the hub knew."""

    variant: str
    format: str
    url: str | None = None


class Described(_Value, frozen=True):
    """One release as the hub describes it: without files, but with all that its page says.

    `record` names the package by our rules, its artifacts have no files. `handle` is the hub's own
    name of the release (`google/some_model/3`; for PyTorch Hub the page's name), `url` where the hub
    showed it, `page` its file in the catalogue. `found` has an entry for each dotted place of the
    record that was filled (`package.task`, `variants.NAME.metrics`, `signatures`), and by its id for
    an element that records have no place for (`size`, `downloads`). Of the name and the version
    `default` says that the importer had to make one. `labels` are the page's labels as written,
    each value once. `gone` says why the files cannot be had any more.
    """

    record: Record
    handle: str
    url: str
    page: str
    text: str = ""
    """The page in Markdown, below its labels."""
    found: dict[str, Found] = {}
    labels: dict[str, tuple[str, ...]] = {}
    assets: tuple[Asset, ...] = ()
    gone: str | None = None


class HubPublisher(_Value, frozen=True):
    """Who publishes on the hub; `name` by our rules, `handle` by theirs."""

    name: str
    handle: str
    display: str
    kind: Kind = "organization"
    text: str = ""
    unsure: bool = False
    """Whether the hub leaves open which kind it is."""


class Collection(_Value, frozen=True):
    """Packages that the hub shows together; `members` are handles without their version."""

    handle: str
    title: str
    members: tuple[str, ...] = ()
    text: str = ""


class Page(_Value, frozen=True):
    """What became of one page: imported as a release, merged into one, or skipped for a reason."""

    path: str
    outcome: Outcome
    kind: str = ""
    handle: str = ""
    into: str = ""
    """The handle of the release that it was merged into."""
    reason: str = ""


class Catalogue(_Value, frozen=True):
    """All that an importer made of one snapshot of a hub.

    `releases` are in the order of their packages' names, then of their versions. `specification`
    is what was asked for (`tfhub:DIR`), `hub` its first half.
    """

    hub: str
    specification: str
    releases: tuple[Described, ...]
    pages: tuple[Page, ...]
    publishers: tuple[HubPublisher, ...] = ()
    collections: tuple[Collection, ...] = ()
    provides: tuple[str, ...] = ()
    """Ids of the elements that the hub shows of every release beside its page (`release-history`)."""


class CataloguePart(_Value, frozen=True):
    """A part of a registry's own catalogue, as it is sent: some releases, and whose they are.

    `next` is what to ask for the part after it with, None in the last one. `total` counts the
    releases of all parts; only the first part tells.
    """

    releases: tuple[Described, ...]
    publishers: tuple[HubPublisher, ...] = ()
    provides: tuple[str, ...] = ()
    next: str | None = None
    total: int | None = None
