"""The labels of a package: one a line, in the order of the scores that they name."""

from __future__ import annotations

from pathlib import Path

LABELS_BYTES = 16 * 1024 * 1024


def read_labels(path: Path) -> tuple[str, ...]:
    """The lines of the file; none where it is missing, too large or no text."""
    try:
        with path.open("rb") as file:
            raw = file.read(LABELS_BYTES + 1)
        return tuple(raw.decode().splitlines()) if len(raw) <= LABELS_BYTES else ()
    except (OSError, UnicodeDecodeError):
        return ()
