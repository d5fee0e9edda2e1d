"""Watches `modelshelf.load`: what it opens belongs into `shelf.toml`."""

from __future__ import annotations

from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from modelshelf.client.traced._recorder import Trace

THROUGH = "modelshelf"


def _watch(module: ModuleType, trace: Trace) -> None:
    def note(_given: dict[str, Any], model: Any) -> None:
        trace.loaded(
            THROUGH,
            name=model.name,
            version=model.version,
            variant=model.variant,
            format=model.format,
            folder=model.folder,
        )

    trace.wrap(module, "load", note)


WATCH = {"modelshelf.client.load": _watch}


def told(_events: list[dict[str, Any]], _fetched: object) -> list[dict[str, str | None]]:
    """Nothing: packages are no foreign things."""
    return []
