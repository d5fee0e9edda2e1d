"""Every artifact is what its `format` says: its reader can make sense of it."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import Problem


def check(staged: Staged) -> Iterator[Problem]:
    """Yield the files that their format's reader refused."""
    for path, error in staged.unreadable.items():
        yield Problem(error.message, file=path, hint=error.hint, rule="readable")
