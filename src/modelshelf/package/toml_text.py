"""TOML as locks are written: a value a line, so that changes merge (https://toml.io/en/v1.0.0).

Only for writing whole documents, 50 times as fast as a library that keeps comments. Strings are
those of JSON, whose escapes are TOML's, but for U+007F.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WORD = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
DEEP_KEY = re.compile(rf"""(?<![\w"'-]){_WORD}(?:[ \t]*+\.[ \t]*+{_WORD}){{32}}""")
"""A dotted key so long that `tomllib` must not see it: its time grows with the square of the parts."""


def inline(value: object) -> str:
    """A value on one line: `{ version = "^1.0", variants = ["small"] }`. None has no TOML."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key(name)} = {inline(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(inline, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """A key, quoted where it must be."""
    return name if _BARE_KEY.fullmatch(name) else inline(name)


def pairs(table: Mapping[str, object]) -> Iterator[str]:
    """The lines of a table without its head; a list of tables has one of them a line."""
    for name, value in table.items():
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
            yield f"{key(name)} = ["
            yield from (f"    {inline(each)}," for each in value)
            yield "]"
        else:
            yield f"{key(name)} = {inline(value)}"
