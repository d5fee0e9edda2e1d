"""Pages that are written to keep readers busy: a megabyte of one sign, of what never ends, of all at once."""

from __future__ import annotations

import pytest

from modelshelf.importers.page import related
from modelshelf.importers.page.markdown import Page
from tests.importers.page.hostile import survive

READERS = ("links", "notes", "python_needs", "quality", "signatures")


def blocks(page: Page) -> int:
    """What the page itself finds out when it is asked."""
    return len(page.links) + len(page.paragraphs) + len(page.code) + len(page.tables)


def relations(page: Page) -> int:
    """Every text is the handle of a package."""
    return len(related.read(page, ("acme/digits",), lambda handle: len(handle) > 2))


@pytest.mark.no_cover
def test_every_reader_ends() -> None:
    readers = [f"modelshelf.importers.page.{name}:read" for name in READERS]
    own = [f"tests.importers.page.test_hostile:{name}" for name in ("blocks", "relations")]
    assert survive(*own, *readers, "modelshelf.importers.page.signatures:describes") == ""
