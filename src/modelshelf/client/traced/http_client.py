"""Watches `http.client`, on which urllib, requests and most others stand: models from a URL.

An answer counts as a model where its address or the name that it is to be saved as ends like a
model file (`ENDINGS`), or where it is larger than a megabyte and is no text, picture or sound. Its
sha256 is that of the bytes as they arrived, which are those of the file unless the program changed
them. An address is the one that was asked for first: redirects are followed back.
"""

from __future__ import annotations

import hashlib
from typing import Any, Callable  # noqa: UP035 (Python 3.9 may read this)
from urllib.parse import urljoin, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from modelshelf.client.traced._recorder import Trace

THROUGH = "URL"
LARGE_BYTES = 1_000_000
MOST_REDIRECTS = 1_000
ENDINGS = (
    ".bin", ".caffemodel", ".ckpt", ".gguf", ".h5", ".hdf5", ".joblib", ".keras", ".llamafile",
    ".mar", ".mlmodel", ".mlpackage", ".msgpack", ".nemo", ".npy", ".npz", ".onnx", ".ort", ".pb",
    ".pickle", ".pkl", ".pt", ".pt2", ".pte", ".pth", ".ptl", ".safetensors", ".skops", ".t7",
    ".tflite", ".th", ".torchscript", ".ts", ".index", ".pth.tar", ".tar.gz", ".tgz",
)  # fmt: skip
ASKED_FOR = "tf-hub-format="
"""What tensorflow_hub adds to an address, whatever it ends in."""
NO_MODEL = ("text/", "image/", "audio/", "video/", "application/json", "application/pdf")
_KEPT = "_modelshelf_asked"


def _watch(module: ModuleType, trace: Trace) -> None:
    first: dict[str, str] = {}

    def asked(given: dict[str, Any], _result: object) -> None:
        connection = given["self"]
        address = _address(connection, given["url"]) if given["method"] == "GET" else None
        connection.__dict__[_KEPT] = address

    def answered(given: dict[str, Any], response: Any) -> None:
        address = given["self"].__dict__.pop(_KEPT, None)
        if address is None:
            return
        origin = first.get(address, address)
        to = response.getheader("Location")
        if response.status in (301, 302, 303, 307, 308) and to and len(first) < MOST_REDIRECTS:
            first[urljoin(address, to)] = origin
        elif response.status == 200:
            _receive(response, origin, address, trace)

    trace.wrap(module.HTTPConnection, "putrequest", asked)
    trace.wrap(module.HTTPConnection, "getresponse", answered)


WATCH = {"http.client": _watch}


def told(events: list[dict[str, Any]], fetched: dict[str, Any]) -> list[dict[str, str | None]]:
    """A row for each address."""
    rows: dict[str, dict[str, str | None]] = {}
    for url in dict.fromkeys(event["url"] for event in events):
        size, sha256 = fetched.get(url, (None, None))
        known = [f"{size:,} bytes"] if size else []
        known += [] if sha256 else ["the file's sha256 was not seen"]
        pin = f"sha256:{sha256}" if sha256 else None
        rows[url] = {"what": url, "pin": pin, "hint": ", ".join(known)}
    return list(rows.values())


def _address(connection: Any, url: str) -> str:
    if "://" in url:
        return url  # through a proxy
    host = getattr(connection, "_tunnel_host", None) or connection.host
    port = getattr(connection, "_tunnel_port", None) or connection.port
    scheme = "https" if connection.default_port == 443 else "http"
    where = f"[{host}]" if ":" in host else host
    return f"{scheme}://{where}{'' if port == connection.default_port else f':{port}'}{url}"


def _receive(response: Any, origin: str, address: str, trace: Trace) -> None:
    length = response.length
    saved_as = (response.getheader("Content-Disposition") or "").rstrip('"; ')
    names = [urlsplit(url).path.lower() for url in (origin, address)]
    ends = any(name.endswith(ENDINGS) for name in (*names, saved_as.lower())) or ASKED_FOR in origin
    kind = (response.getheader("Content-Type") or "").lower()
    if not ends and ((length or 0) <= LARGE_BYTES or kind.startswith(NO_MODEL)):
        return
    trace.loaded(THROUGH, url=origin, size=length, sha256=None)
    # chunks have marks between them, and what is compressed on the way is another file
    if length and not response.chunked and not response.getheader("Content-Encoding"):
        response.fp = _Body(
            response.fp,
            length,
            lambda sha256: trace.loaded(THROUGH, url=origin, size=length, sha256=sha256),
        )


class _Body:
    """The file under a response; `done` is told the sha256 once all of it was read."""

    def __init__(self, file: Any, length: int, done: Callable[[str], None]) -> None:
        self._file = file
        self._left = length
        self._done = done
        self._sha256 = hashlib.sha256()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, *size: Any) -> bytes:
        data: bytes = self._seen(self._file.read(*size))
        return data

    def read1(self, *size: Any) -> bytes:
        data: bytes = self._seen(self._file.read1(*size))
        return data

    def readline(self, *size: Any) -> bytes:
        data: bytes = self._seen(self._file.readline(*size))
        return data

    def readinto(self, buffer: Any) -> int:
        count: int = self._file.readinto(buffer)
        self._seen(memoryview(buffer).cast("B")[:count])
        return count

    def _seen(self, data: Any) -> Any:
        if self._left > 0:
            self._sha256.update(data)
            self._left -= len(data)
            if self._left <= 0:
                self._done(self._sha256.hexdigest())
        return data
