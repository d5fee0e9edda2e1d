"""The `shelf.toml` among the files says what the record says: nobody publishes two stories."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import Invalid, Problem
from modelshelf.package import manifest


def check(staged: Staged) -> Iterator[Problem]:
    """Yield one problem where the file is there and tells something else."""
    path = staged.folder / manifest.FILE
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            same = manifest.parse(file.read(manifest.largest_manifest_bytes + 1)) == staged.record
    except Invalid as error:
        yield from error.problems
        return
    if not same:
        yield Problem(f"{manifest.FILE} is not the record that was sent", rule="manifest")
