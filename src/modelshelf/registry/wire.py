"""HTTP/1.1 on the wire: by httptools where it is installed (half the CPU time), else by h11."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Literal

MAX_HEADER_BYTES = 64 << 10
"""A request line and headers longer than this are refused; h11 is told so by its own setting."""


def protocol() -> type[asyncio.Protocol] | Literal["h11"]:
    """What uvicorn's setting `http` shall be."""
    return "h11" if importlib.util.find_spec("httptools") is None else _bounded()


def _bounded() -> type[asyncio.Protocol]:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Bounded(HttpToolsProtocol):
        """Uvicorn's protocol, which by itself would keep headers of any length in memory."""

        _header_bytes: int | None = None  # None: not amid headers

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._header_bytes = 0

        def on_headers_complete(self) -> None:
            self._header_bytes = None
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._header_bytes is not None:
                self._header_bytes += len(data)
                if self._header_bytes > MAX_HEADER_BYTES:
                    self.send_400_response("The headers are too large.")

    return Bounded
