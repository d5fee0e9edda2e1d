"""Watches `tensorflow_hub`: modules by their handle, which may end in a version (`/4`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from modelshelf.client.traced._recorder import Trace

THROUGH = "tensorflow_hub"
# how tensorflow_hub.resolver asks for an archive
COMPRESSED = "tf-hub-format=compressed"
_VERSION = re.compile(r"/[0-9]+/?$")


def _watch(module: ModuleType, trace: Trace) -> None:
    def note(given: dict[str, Any], result: Any) -> None:
        handle = str(given.get("handle", given.get("path")))
        facts: dict[str, object] = {"handle": handle, "folder": Path(str(result)).absolute()}
        if handle.startswith(("http://", "https://")):
            facts["url"] = f"{handle}{'&' if '?' in handle else '?'}{COMPRESSED}"
        trace.loaded(THROUGH, **facts)

    # `load` and KerasLayer call `resolve` of this module; hub.Module of TensorFlow 1 does not
    trace.wrap(module, "resolve", note)
    trace.wrap(module, "load_module_spec", note)


WATCH = {"tensorflow_hub.module_v2": _watch, "tensorflow_hub.module": _watch}


def told(events: list[dict[str, Any]], fetched: dict[str, Any]) -> list[dict[str, str | None]]:
    """A row for each handle."""
    handles = {event["handle"]: event for event in events}
    return [_row(handle, event, fetched) for handle, event in handles.items()]


def _row(handle: str, event: dict[str, Any], fetched: dict[str, Any]) -> dict[str, str | None]:
    size, sha256 = fetched.get(event.get("url", ""), (None, None))
    row: dict[str, str | None] = {"what": handle, "pin": None, "hint": None}
    arrived = f"archive of {size:,} bytes, sha256 {sha256}" if sha256 else None
    parts = urlsplit(handle)
    if parts.scheme not in ("http", "https", "gs"):
        folder = event["folder"]
        return {
            **row,
            "hint": f"a folder of this machine: shelf init {folder} makes a package of it",
        }
    if _VERSION.search(parts.path):
        return {**row, "pin": handle, "hint": arrived or "is pinned by its version"}
    if parts.path.endswith((".tar.gz", ".tgz", ".tar")):
        return {
            **row,
            "pin": sha256 and f"sha256:{sha256}",
            "hint": arrived or "read from the cache",
        }
    hint = f"the handle has no version: {handle.rstrip('/')}/VERSION"
    return {**row, "hint": f"{hint} ({arrived})" if arrived else hint}
