"""Place: where the segments of a registry lie, remembered in its data folder.

Who names another bucket by mistake, or none, would find every segment lost.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from modelshelf.errors import Conflict
from modelshelf.registry.settings import Settings
from modelshelf.store.blobs import FOLDER
from modelshelf.store.bucket import Bucket

FILE = "bucket"
"""In the data folder: the URL of the bucket, without a key to it."""


def known(data: Path) -> str | None:
    """The URL of the bucket in which the segments of this data folder lie; None for the folder."""
    try:
        return (data / FILE).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def require(settings: Settings) -> None:
    """Raise Conflict unless segments lie where `settings` says; remember a bucket."""
    place = known(settings.data)
    if settings.blobs is None:
        if place is not None:
            raise _elsewhere(settings, _bare(place), FILE)
        return
    if place is None and any((settings.data / FOLDER).glob("??/*")):
        raise _elsewhere(settings, str(settings.data / FOLDER), FOLDER)
    if place is not None and _bare(place) != str(settings.blobs):
        raise _elsewhere(settings, _bare(place), FILE)
    if place != (url := _url(settings.blobs)):
        (settings.data / FILE).write_text(f"{url}\n", encoding="utf-8")


def _elsewhere(settings: Settings, place: str, what: str) -> Conflict:
    return Conflict(
        "The segments of this registry lie elsewhere",
        where=str(settings.data),
        expected=place,
        got=str(settings.blobs) if settings.blobs else str(settings.data / FOLDER),
        hint=f"name that place with --blobs; or copy them all and then take away `{what}` there",
    )


def _bare(url: str) -> str:
    return url.partition("?")[0]


def _url(bucket: Bucket) -> str:
    given = {
        "endpoint": bucket.endpoint,
        "region": bucket.region,
        "public_url": bucket.public_url,
    }
    told = {name: value for name, value in given.items() if value is not None}
    return f"{bucket}?{urlencode(told)}"
