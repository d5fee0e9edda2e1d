"""What clients need to know of this registry before anything else."""

from __future__ import annotations

import msgspec

from modelshelf.registry.routing import Call, Resource

API = Resource("config")


class Config(msgspec.Struct, frozen=True):
    """Path of the API, and templates of the addresses of files, index documents and segments.

    `bundles` tells that small segments may be asked for together, `raw` that clients on a fast link
    may take parts of raw files instead of segments.
    """

    api: str
    files: str
    index: str
    recipes: str
    segments: str
    bundles: bool
    raw: bool
    level: str


@API.route("GET", "/config.json", summary="Where things are", returns=Config)
async def config(call: Call) -> Config:
    """Tell where things are; files may lie on another host."""
    settings = call.service.settings
    return Config(
        api="/api/v1",
        files=f"{call.base_url}/files/{{sha256}}",
        index=f"{call.base_url}/index/{{name}}.jsonl",
        recipes=f"{call.base_url}/recipes/{{sha256}}",
        segments=settings.segments_url or f"{call.base_url}/segments/{{key}}",
        bundles=settings.blobs is None,
        raw=settings.fast_links,
        level=settings.level,
    )
