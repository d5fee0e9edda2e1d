"""Measuring the models of a folder, and writing what they take into its `shelf.toml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from modelshelf.checks.safety.consent import carries_code
from modelshelf.errors import Invalid, NotFound, ShelfError
from modelshelf.package import edit, manifest
from modelshelf.package.record import Cost, Record
from modelshelf.serve.measure import measure


class Taken(NamedTuple):
    """One artifact: what a call of it takes, or why that is not known."""

    variant: str
    format: str
    cost: Cost | None
    why: str | None = None


def described(folder: Path) -> Record:
    """The record in the `shelf.toml` of `folder`. Raises Invalid where it is none."""
    try:
        return manifest.parse((folder / manifest.FILE).read_bytes())
    except FileNotFoundError:
        raise Invalid(
            f"there is no {manifest.FILE}", where=str(folder), hint="begin with: shelf init"
        ) from None


def measured(
    folder: Path, record: Record, variant: str | None, *, consent: bool
) -> Iterator[Taken]:
    """Measure every artifact of `variant` (of all where none is named), one after the other.

    Formats that can run code are left out without `consent`. Raises NotFound for no such variant.
    """
    chosen = [each for each in record.variants if variant in (None, each.name)]
    if not chosen:
        names = ", ".join(each.name for each in record.variants)
        raise NotFound(f"there is no variant `{variant}`", expected=names)
    for each in chosen:
        for artifact in each.artifacts:
            if carries_code(artifact.format) and not consent:
                yield Taken(each.name, artifact.format, None, "runs code: needs --allow-pickle")
            else:
                yield _taken(folder, each.name, artifact.format)


def _taken(folder: Path, variant: str, format_name: str) -> Taken:
    try:
        return Taken(variant, format_name, measure(folder, variant, format_name))
    except ShelfError as error:
        return Taken(variant, format_name, None, str(error.got or error.message))


def write(folder: Path, taken: list[Taken]) -> None:
    """Write the costs into the `shelf.toml` of `folder`; everything else in it stays as it was."""
    path = folder / manifest.FILE
    text = path.read_text(encoding="utf-8")
    for each in taken:
        if each.cost is not None:
            text = edit.set_cost(text, each.variant, each.format, each.cost)
    path.write_text(text, encoding="utf-8")
