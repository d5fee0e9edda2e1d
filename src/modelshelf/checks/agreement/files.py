"""Every file that the record names is there: a plain file inside the package's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelshelf.checks import Staged
from modelshelf.errors import Problem
from modelshelf.package.record import named_files


def check(staged: Staged) -> Iterator[Problem]:
    """Yield the files that are missing, empty, not plain or reached through a link."""
    for path, element in named_files(staged.record).items():
        wrong = _wrong(staged.folder, path)
        if wrong:
            yield Problem(f"`{path}` {wrong}", element=element, rule="files")


def _wrong(folder: Path, path: str) -> str | None:
    target = folder / path
    steps = [target, *target.parents][: len(Path(path).parts)]
    if any(step.is_symlink() for step in steps):
        return "is reached through a symbolic link: publish the file itself"
    if not target.exists():
        return "does not exist"
    if not target.is_file():
        return "is not a plain file"
    return None if target.stat().st_size else "is empty"
