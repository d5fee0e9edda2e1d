"""Sheets of kind Collection: packages that the hub shows together."""

from __future__ import annotations

from collections.abc import Mapping

from modelshelf.importers.page.labels import Sheet, one_line
from modelshelf.importers.sheets.handle import linked, parted
from modelshelf.package.catalogue import Collection


def collection(sheet: Sheet, packages: Mapping[str, str]) -> Collection:
    """A collection; its members are the packages whose addresses stand on its page.

    `packages` are the handles, without version, that there are → the handle of the package that
    each belongs to (a deployment belongs to another).
    """
    found = (_package(each, packages) for each in linked(sheet.text))
    return Collection(
        handle=parted(sheet.handle).name,
        title=one_line(sheet.summary)[0] or sheet.handle,
        members=tuple(dict.fromkeys(each for each in found if each)),
        text=sheet.text,
    )


def _package(handle: str, packages: Mapping[str, str]) -> str | None:
    while "/" in handle:
        if handle in packages:
            return packages[handle]
        handle = handle.rpartition("/")[0]
    return None
