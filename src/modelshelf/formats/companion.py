"""Files beside a model that hold its values: inside its folder, there, and long enough."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PureWindowsPath

from modelshelf.errors import FormatError


def stays(location: str) -> bool:
    """Whether a relative path with forward slashes stays in the folder that it begins in."""
    outside = (
        location.startswith("/")
        or ".." in location.split("/")
        or "\\" in location
        or "\0" in location
        or PureWindowsPath(location).drive
    )
    return bool(location) and not outside


def refuse_link(path: Path, folder: Path) -> None:
    """Raise FormatError where `path` leads out of `folder`."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise FormatError(
            f"{path.name[:80]} is a link out of the package's folder",
            where=path.name,
            hint="put the file itself there",
        )


def absent(needed: Mapping[str, int], folder: Path) -> list[str]:
    """The companions, by their paths relative to `folder`, that are not there.

    `needed` says how many bytes each must have. Raises FormatError where one is shorter, or leads
    out of the folder.
    """
    found: list[str] = []
    for location, length in needed.items():
        path = folder / location
        refuse_link(path, folder)
        if not path.is_file():
            found.append(location)
        elif path.stat().st_size < length:
            raise FormatError(
                f"{location[:80]} is cut off: values of the model end behind it",
                where=location,
                expected=f"{length} bytes or more",
                got=f"{path.stat().st_size} bytes",
                hint="download or save it again",
            )
    return found
