"""Running the registry: uvicorn around the application, stopped in good order by a signal."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from modelshelf.errors import ShelfError, UsageError
from modelshelf.registry import log, wire
from modelshelf.registry.app import create_app
from modelshelf.registry.service import Service
from modelshelf.registry.settings import Settings

KEEP_ALIVE_SECONDS = 15
MAX_CONNECTIONS = 1000
BACKLOG = 512
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class Server:
    """One server that can be run in any thread and stopped from any other."""

    def __init__(self, settings: Settings, host: str = "127.0.0.1", port: int = 8080) -> None:
        """Bind the address (port 0: any free one); raises UsageError when it cannot be had."""
        self._listening = _listen(host, port)
        self._app = create_app(settings)
        self._server = _Announcing(configuration(self._app, settings))
        self.url = _address(self._listening)

    def run(self, on_ready: Callable[[str], None] | None = None) -> None:
        """Serve until `stop`; `on_ready` is told the address once the server answers."""
        self._server.announce = lambda: on_ready(self.url) if on_ready else None
        try:
            asyncio.run(self._server.serve([self._listening]))
        finally:
            self.close()
        if not self._server.started:
            raise ShelfError("The registry could not start", hint="its log tells why")

    def close(self) -> None:
        """Give the address back; `run` does so at its end."""
        self._listening.close()

    @property
    def service(self) -> Service:
        """The parts of the registry that is being served."""
        service: Service = self._app.state.service
        return service

    def stop(self) -> None:
        """Finish the requests in hand, then let `run` return."""
        self._server.should_exit = True


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in hand and return.

    Port 0 takes any free one; `on_ready` is told the address once the server answers. Raises
    UsageError when the address cannot be had.
    """
    log.to_stderr()
    server = Server(settings, host, port)
    # uvicorn raises the signal once more after it has stopped: by then it means nothing.
    before = {number: signal.signal(number, lambda *_: None) for number in _STOPPING}
    try:
        server.run(on_ready)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Announcing(uvicorn.Server):
    announce: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.announce()


def configuration(app: Starlette, settings: Settings) -> uvicorn.Config:
    """Uvicorn's configuration: bounded connections, headers and waiting times."""
    return uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.stop_seconds,
        limit_concurrency=MAX_CONNECTIONS,
        backlog=BACKLOG,
        http=wire.protocol(),
        h11_max_incomplete_event_size=wire.MAX_HEADER_BYTES,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is: without, the body
    # of an answer waits for the client to acknowledge the headers, some 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        raise UsageError(
            f"The server cannot listen on {host}:{port}",
            got=str(error),
            hint="another server may run there: choose another --port",
        ) from None
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
