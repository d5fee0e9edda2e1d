"""Sheets of kind Lite, Tfjs, Coral: a release in another format, for other contexts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from modelshelf.importers.page.labels import Sheet
from modelshelf.importers.page.labels import handle as cleaned
from modelshelf.importers.sheets.handle import Handle, parted

FORMATS = {"Lite": "tflite", "Tfjs": "tfjs", "Coral": "tflite"}
"""Each kind → the format that it is in."""
_PRECISIONS = {
    "float32": ("fp32", "float32", "float"),
    "float16": ("fp16", "float16", "half"),
    "int8": ("int8", "uint8", "integer", "quantized", "quant"),
    "mixed": ("dr", "dynamic-range"),
}
"""How publishers write a precision as a folder; with a dynamic range only the weights are small."""
_PRECISION = {word: precision for precision, words in _PRECISIONS.items() for word in words}
_PLAIN = {"default", "metadata", "lite", "tflite", "tfjs", "coral", "model"}
"""Folders of a deployment that tell it from no other."""


class Parent(NamedTuple):
    """The release that a deployment is of; `unsure` where the page names no release that there is."""

    handle: Handle
    unsure: bool = False


class Deployed(NamedTuple):
    """One deployment of a release."""

    sheet: Sheet
    format: str
    precision: str | None = None
    unsure: bool = False


def versions(releases: Iterable[Handle]) -> dict[str, list[int]]:
    """The versions of each package, in their order."""
    found: dict[str, list[int]] = defaultdict(list)
    for name, version in sorted(releases):
        found[name].append(version or 0)
    return dict(found)


def parent(sheet: Sheet, known: Mapping[str, list[int]]) -> Parent | None:
    """The release that a deployment belongs to, of the packages `known` with their versions.

    It is the one that the page names, exactly; else the package's latest; else, where the page
    names none, the package whose handle its own begins with.
    """
    for label in sheet.labels.get("parent-model", ()):
        named = cleaned(label)
        exact = parted(named)
        if exact.version in known.get(exact.name, ()):
            return Parent(exact)
        if named in known:
            return Parent(Handle(named, known[named][-1]), unsure=len(known[named]) > 1)
        if exact.name in known:
            return Parent(Handle(exact.name, known[exact.name][-1]), unsure=True)
    return _above(sheet.handle, known)


def _above(handle: str, known: Mapping[str, list[int]]) -> Parent | None:
    while "/" in handle:
        exact = parted(handle)
        if exact.version in known.get(exact.name, ()):
            return Parent(exact, unsure=True)
        if handle in known:
            return Parent(Handle(handle, known[handle][-1]), unsure=True)
        handle = handle.rpartition("/")[0]
    return None


def deployed(sheet: Sheet, *, unsure: bool) -> Deployed:
    """What a sheet deploys."""
    folders = parted(sheet.handle).name.lower().split("/")[1:]
    precisions = [_PRECISION[folder] for folder in folders if folder in _PRECISION]
    return Deployed(sheet, FORMATS[sheet.kind], precisions[-1] if precisions else None, unsure)


def in_order(deployments: Iterable[Deployed]) -> list[Deployed]:
    """Plain ones before others, of each the newest version first."""
    return sorted(deployments, key=_order)


def _order(each: Deployed) -> tuple[str, int, str, int]:
    name, version = parted(each.sheet.handle)
    special = [part for part in name.split("/") if part.lower() not in _PLAIN]
    return each.format, len(special), name, -(version or 0)
