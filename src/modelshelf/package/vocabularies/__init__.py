"""The closed lists a record's words come from: one JSON file each, word → what it means."""

from __future__ import annotations

import difflib
import json
from functools import cache
from importlib.resources import files


@cache
def vocabulary(name: str) -> dict[str, str]:
    """The words of `name` (`tasks`, `contexts`, `formats`, `precisions`) → their meaning."""
    text = files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text)
    return words


def nearest(word: str, words: list[str]) -> str | None:
    """`did you mean ...?` for a word that is nearly one of `words`, or None."""
    close = difflib.get_close_matches(word[:100].lower().replace("_", "-"), words, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None
