"""A file of labels: one a line, in the order of the values that they name."""

from __future__ import annotations

from pathlib import Path

from modelshelf.errors import FormatError

LABEL_COUNT = 200_000
LABELS_BYTES = 16 * 1024 * 1024


def read_labels(path: Path) -> tuple[str, ...]:
    """The lines of the file.

    Raises:
        FormatError: it cannot be opened, is no UTF-8 text, or holds too many.

    """
    try:
        with path.open("rb") as file:
            raw = file.read(LABELS_BYTES + 1)
        lines = raw.decode().splitlines() if len(raw) <= LABELS_BYTES else None
    except OSError as error:
        raise FormatError(
            f"`{path.name}` cannot be opened", where=path.name, got=error.strerror
        ) from None
    except UnicodeDecodeError:
        raise FormatError(
            f"`{path.name}` is no UTF-8 text", where=path.name, hint="one label a line, as UTF-8"
        ) from None
    if lines is None or len(lines) > LABEL_COUNT:
        raise FormatError(f"`{path.name}` has more than {LABEL_COUNT} labels", where=path.name)
    return tuple(lines)
