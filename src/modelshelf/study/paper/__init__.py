"""The paper's own figures: one JSON file a table, and why ours differ where that is known.

Xiu, Eghan, Jiang, Adams: "Empirical Study on the Software Engineering Practices in Open Source ML
Package Repositories". Percentages are of packages; `null` is a dash of the paper.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def figures(name: str) -> dict[str, Any]:
    """What the file `name` holds: `table1` ... `table8`, `text`, `hubs`, `differences`, `implications`."""
    text = files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of the file `name`."""
    found: list[dict[str, Any]] = figures(name)["rows"]
    return found


def said(id: str, hub: str) -> int | None:  # noqa: A002  the word of the file
    """The figure `id` that the paper's text gives of `hub`; None where it gives none."""
    row = next(each for each in rows("text") if each["id"] == id)
    found: int | None = row.get(hub)
    return found
