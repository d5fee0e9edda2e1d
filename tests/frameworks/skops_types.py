"""Write the types that skops trusts by itself: run where skops is, without arguments.

What it writes is checked in: `src/modelshelf/formats/skops_types.json`. `builtins.map` is left out:
a map calls what it is given.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from skops.io import _trusted_types as trusted

TARGET = Path(__file__).parents[2] / "src" / "modelshelf" / "formats" / "skops_types.json"
LEFT_OUT = {"builtins.map"}


def main() -> None:
    """Gather every list of names in `skops.io._trusted_types`, by module."""
    lists = [value for name, value in vars(trusted).items() if name.endswith("_TYPE_NAMES")]
    found: dict[str, set[str]] = defaultdict(set)
    for whole in {name for names in lists for name in names} - LEFT_OUT:
        module, _, name = whole.rpartition(".")
        found[module].add(name)
    named = {module: sorted(names) for module, names in sorted(found.items())}
    TARGET.write_text(json.dumps(named, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
