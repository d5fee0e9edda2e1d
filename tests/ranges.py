"""An S3 server that answers ranges as others do: with status 206, which `rclone` does not.

It stands before a real one, and passes on everything else as it is.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behind: ClassVar[str]
    asked: ClassVar[list[str]]

    def _pass_on(self) -> None:
        self.asked.append(f"{self.command} {self.headers.get('Range', '')}".strip())
        connection = http.client.HTTPConnection(self.behind, timeout=30)
        connection.putrequest(
            self.command, self.path, skip_host=True, skip_accept_encoding=True
        )  # the signature is of these very headers
        for name, value in self.headers.items():
            connection.putheader(name, value)
        length = int(self.headers.get("Content-Length") or 0)
        connection.endheaders(self.rfile.read(length) if length else None)
        self._answer(connection.getresponse())
        connection.close()

    def _answer(self, response: http.client.HTTPResponse) -> None:
        body = response.read()
        self.send_response_only(206 if response.getheader("Content-Range") else response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", response.getheader("Content-Length") or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = _pass_on  # noqa: N815  (names of http.server)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def answering_ranges(endpoint: str) -> Iterator[tuple[str, list[str]]]:
    """The endpoint that does, before the one at `endpoint`; what it was asked (`GET bytes=0-9`)."""
    asked: list[str] = []
    members = {"behind": urlsplit(endpoint).netloc, "asked": asked}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), members))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join(30)
    server.server_close()
