"""Where the files of described releases come from: a folder that has them, or their hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from modelshelf.package.handle import bare
from modelshelf.package.path import unsafe_path
from modelshelf.registry.imported import Fetched
from modelshelf.registry.importing.delivered import Delivery
from modelshelf.registry.importing.fetching import Bounds, fetch
from modelshelf.registry.importing.plan import Release
from modelshelf.registry.importing.unpacking import is_archive, unpack


class Found(NamedTuple):
    """What a source has of a release; `fetched` is what came from the hub for it."""

    deliveries: tuple[Delivery, ...]
    source: str
    fetched: tuple[Fetched, ...] = ()


class Source(Protocol):
    """Where files come from."""

    def find(self, release: Release, work: Path) -> Found | None:
        """What there is of a release, None where there is nothing; `work` is an empty folder."""


class Folder:
    """Files in a folder, named by handle: `HANDLE/...`, `HANDLE.tar.gz`, `HANDLE.tflite`."""

    def __init__(self, root: Path, most_bytes: int) -> None:
        self._root = root
        self._most_bytes = most_bytes

    def find(self, release: Release, work: Path) -> Found | None:
        """See `Source.find`; pages that are parts of the release have files of their own."""
        handles = [bare(each) for each in (release.described.handle, *release.also)]
        apart = tuple(self._root / each for each in handles[1:])
        found = []
        for number, handle in enumerate(handles):
            if unsafe_path(handle):
                continue
            below = _below(handles[0], handle) if number else ""
            inside = tuple(each for each in apart if each != self._root / handle)
            for place in self._places(handle):
                delivery = Delivery(self._opened(place, work / str(number)), below, None, inside)
                if any(path.is_file() for path in _listed(delivery)):
                    found.append(delivery)
                    break
        return Found(tuple(found), str(self._root)) if found else None

    def _places(self, handle: str) -> Iterator[Path]:
        """Where the files of a handle may lie; links may not lead out of the folder."""
        whole = self._root / handle
        found = [whole] if whole.exists() else []
        if whole.parent.is_dir():
            found += (
                path
                for path in sorted(whole.parent.glob("*"))
                if path.name.startswith(f"{whole.name}.") and path.is_file()
            )
        root = self._root.resolve()
        return (path for path in found if path.resolve().is_relative_to(root))

    def _opened(self, place: Path, folder: Path) -> Path:
        if place.is_dir() or not is_archive(place):
            return place
        unpack(place, folder, most_bytes=self._most_bytes)
        return folder


class Hub:
    """Files that the hub has, at the addresses of the catalogue."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def find(self, release: Release, work: Path) -> Found | None:
        """See `Source.find`."""
        assets = [each for each in release.described.assets if each.url]
        if not assets or release.described.gone:
            return None
        deliveries: list[Delivery] = []
        fetched: list[Fetched] = []
        for number, asset in enumerate(assets):
            assert asset.url is not None
            target = work / f"{number}-fetched"
            target.mkdir()
            file = target / _file_name(asset.url)
            fetched.append(fetch(asset.url, file, self._bounds))
            root = file
            if is_archive(file):
                root = work / str(number)
                unpack(file, root, most_bytes=self._bounds.most_bytes)
            below = "" if len(assets) == 1 else f"{asset.format}-{number + 1}"
            deliveries.append(Delivery(root, below, asset.variant))
        return Found(tuple(deliveries), assets[0].url or "", tuple(fetched))


def _listed(delivery: Delivery) -> Iterator[Path]:
    root = delivery.root
    listed = root.rglob("*") if root.is_dir() else [root]
    return (path for path in listed if not any(folder in path.parents for folder in delivery.apart))


def _below(own: str, handle: str) -> str:
    """The folder in the release for what belongs to another handle: `int8-2`."""
    rest = handle.removeprefix(f"{own}/")
    return re.sub(r"[^a-z0-9]+", "-", rest.lower()).strip("-")[:60] or "other"


def _file_name(url: str) -> str:
    """The last part of an address as the name of a file."""
    last = bare(url).rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.")[:100]
    return name or "model"
