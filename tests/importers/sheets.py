"""Pages in the shape of TFHub's, and the catalogue of some of them."""

from __future__ import annotations

from typing import Protocol

from modelshelf.package.catalogue import Catalogue, Described


class Write(Protocol):
    """Writes pages, named and in this order, and reads the catalogue of them."""

    def __call__(self, **pages: str) -> Catalogue:
        """The catalogue of pages by name."""


def sheet_text(handle: str, *labels: str, kind: str = "Module", text: str = "") -> str:
    """One page."""
    lines = "\n".join(f"<!-- {label} -->" for label in labels)
    return f"# {kind} {handle}\nWhat it is.\n\n{lines}\n\n## Overview\n{text}\n"


def only(catalogue: Catalogue) -> Described:
    """The one release that there is."""
    (release,) = catalogue.releases
    return release
