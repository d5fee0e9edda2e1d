"""What clients need to know of this registry before anything else."""

from __future__ import annotations

import msgspec

from modelshelf.registry.routing import Call, Resource

API = Resource("config")


class Config(msgspec.Struct, frozen=True):
    """Path of the API, and templates of the addresses of files and index documents."""

    api: str
    files: str
    index: str
    level: str


@API.route("GET", "/config.json", summary="Where things are", returns=Config)
async def config(call: Call) -> Config:
    """Tell where things are; files may lie on another host."""
    return Config(
        api="/api/v1",
        files=f"{call.base_url}/files/{{sha256}}",
        index=f"{call.base_url}/index/{{name}}.jsonl",
        level=call.service.settings.level,
    )
