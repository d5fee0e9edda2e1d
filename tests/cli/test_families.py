"""Families for whoever types: named by `info`, a word for `search`."""

from __future__ import annotations

import json
from pathlib import Path

from modelshelf.registry import grouping
from modelshelf.registry.service import open_kept
from modelshelf.registry.settings import Settings
from tests.conftest import Shelf
from tests.publishing import Publish, succeeded

FAMILY = {'task = "other"': 'task = "other"\nfamily = "warblers"'}


def test_a_family_is_named_and_searched(
    release: Publish, shelf: Shelf, registry_data: Path
) -> None:
    names = [release(name, "1.0.0", edit=FAMILY) for name in ("wren", "robin")]
    release("stone", "1.0.0")
    kept = open_kept(Settings(data=registry_data))
    grouping.group(kept)
    kept.database.close()
    family = f"declared-{release.publisher}-warblers"
    said = succeeded(shelf("info", names[0])).out
    assert f"Family: {family} (4 models)" in said
    (told,) = json.loads(shelf("info", names[0], "--json").out)["families"]
    assert (told["id"], told["models"], told["own"]) == (family, 4, 2)
    found = json.loads(succeeded(shelf("search", "--family", family, "--json")).out)
    assert {each["name"] for each in found["results"]} == set(names)
