"""A folder of pages of a hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.importers import read
from modelshelf.package.catalogue import Catalogue
from tests.importers.sheets import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes pages of TFHub by name, in this order, and gives the catalogue of them."""

    def written(**pages: str) -> Catalogue:
        for number, (name, text) in enumerate(pages.items()):
            path = tmp_path / "docs" / "acme" / f"{number:02}-{name}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return read(f"tfhub:{tmp_path}")

    return written
