"""What the scanner saw in the files: what it blocks is a problem, all else is worth knowing."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.checks.safety.scan import problems
from modelshelf.errors import Problem


def check(staged: Staged) -> Iterator[Problem]:
    """Yield a problem for each finding; only what is blocked is more than a warning."""
    if staged.scanned is not None:
        yield from problems(staged.scanned)
