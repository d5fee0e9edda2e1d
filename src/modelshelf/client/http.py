"""HTTP as the client needs it: one connection a thread, deadlines, errors that say what to do."""

from __future__ import annotations

import http.client
import json
import select
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple, NoReturn
from urllib.parse import SplitResult, urlsplit

from modelshelf import __version__
from modelshelf.client import arriving
from modelshelf.client.arriving import Response
from modelshelf.client.rate import Bucket
from modelshelf.errors import (
    Conflict,
    FormatError,
    IntegrityError,
    Invalid,
    NetworkError,
    NotAllowed,
    NotFound,
    Problem,
    Refused,
    ShelfError,
    Unsatisfiable,
    UsageError,
)
from modelshelf.store.digest import CONTENT, content_digest, require_content

timeout_seconds = 30.0
largest_answer_bytes = 64 << 20
retries = 5
"""How often a request that may be repeated is sent again, waiting 0.2, 0.4, 0.8, ... seconds: six in
all, in which a registry restarts. One that never answered is given up a step sooner."""

_ERRORS: dict[str, type[ShelfError]] = {
    each.__name__: each
    for each in (
        Conflict, FormatError, IntegrityError, Invalid, NotAllowed, NotFound, Refused,
        Unsatisfiable, UsageError,
    )
}  # fmt: skip
_BY_STATUS: dict[int, type[ShelfError]] = {
    401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 413: Invalid, 422: Invalid,
    507: ShelfError,
}  # fmt: skip
_BROKEN = (OSError, http.client.HTTPException)


class Offline(NetworkError):
    """The network was needed, and the user said not to use it."""

    def __init__(self) -> None:
        super().__init__(
            "this needs the network, and --offline was asked for",
            hint="run it once without --offline (MODELSHELF_OFFLINE)",
        )


class Standstill(NetworkError):
    """The other side is there and sends nothing, or next to nothing."""


class NoRegistry(NetworkError):
    """What answers knows nothing of the path that we asked for, and is perhaps no registry."""


class Damaged(NetworkError):
    """What came is not what the other side sent."""


class Answer(NamedTuple):
    """Status, headers (lower-case names) and the whole body of a response."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Held:
    """A connection that is closed with whoever holds it.

    Not by `__del__`: in a circle of garbage the socket may go first, and complain. What a
    finalizer names is no part of the circle.
    """

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.connection = connection
        weakref.finalize(self, connection.close)


class Connection:
    """Requests to one origin; every thread has its own socket, kept open between requests.

    With a `rate`, which several connections may share, bytes pass no faster either way.
    """

    def __init__(
        self,
        base: str,
        *,
        token: str | None = None,
        offline: bool = False,
        rate: Bucket | None = None,
        patience_seconds: float = timeout_seconds,
    ) -> None:
        parts = _parts(base)
        self._patience_seconds = patience_seconds
        self._offline = offline
        self._rate = rate
        self.base = base.rstrip("/")
        self._https = parts.scheme == "https"
        self._netloc = (parts.hostname, parts.port)
        self._prefix = parts.path.rstrip("/")
        self._token = token
        self._local = threading.local()
        self.answered = False
        """Whether there is a registry: it has said something."""
        self._turn = threading.Lock()
        self._known: dict[str, bytes] = {}

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET with retries; any status below 400 is an answer, others raise."""
        return self._repeated("GET", path, None, headers or {})

    def once(self, path: str) -> bytes:
        """The body of a GET that is asked once for all who use this connection."""
        with self._turn:
            if path not in self._known:
                self._known[path] = self.get(path).body
            return self._known[path]

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, sent once, with `body` as JSON. Raises what the registry's error says."""
        encoded = None if body is None else _json(body)
        return self._once(method, path, encoded, headers or {})

    def upload(
        self,
        path: str,
        chunks: Iterable[bytes],
        size: int,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "PUT",
    ) -> Answer:
        """Send `size` bytes from `chunks`, once."""
        given = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        if self._rate is not None:
            chunks = self._rate.paced(chunks)
        return self._once(method, path, chunks, {**given, **(headers or {})})

    def stream(self, path: str, headers: Mapping[str, str]) -> Response:
        """GET and give the response unread; the caller reads it to its end or calls `close`."""
        response = self.open("GET", path, None, headers)
        if response.status >= 400:
            self.refuse(response)
        return response

    def open(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> Response:
        """The same for any method and, without raising, any status."""
        try:
            return self._request(method, path, body, headers)
        except _BROKEN as error:
            self.close()
            raise self._unreachable(error) from None

    def read(self, response: Response, into: memoryview, *, some: bool = False) -> int:
        """Read on: fills `into`, or what is there with `some`, unless the body ends before."""
        try:
            return response.readinto_some(into) if some else response.readinto(into)
        except _BROKEN as error:
            self.close()
            kind = Standstill if isinstance(error, TimeoutError) else NetworkError
            raise kind(f"the connection broke: {error}", where=self.base) from None

    def refuse(self, response: Response) -> NoReturn:
        """Read a response of status 400 or more, and raise what it means."""
        raise_for(self._answer(response), self.base)

    def elsewhere(self, base: str) -> Connection:
        """A connection to another origin, which is not told who we are."""
        return Connection(base, offline=self._offline, rate=self._rate)

    def patient(self, seconds: float) -> Connection:
        """The same for requests whose answers may take so long."""
        return Connection(
            self.base,
            token=self._token,
            offline=self._offline,
            rate=self._rate,
            patience_seconds=seconds,
        )

    def close(self) -> None:
        """Close this thread's socket; the next request opens another."""
        self._local.held = None

    def _repeated(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        for attempt in range(retries + 1):
            last = attempt >= retries - (not self.answered)
            try:
                answer = self._sent(method, path, body, headers)
            except NetworkError as error:
                if last or isinstance(error, Offline):
                    raise
            else:
                if answer.status < 500 or last:
                    return self._accepted(answer)
            time.sleep(0.2 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        return self._accepted(self._sent(method, path, body, headers))

    def _sent(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        return self._answer(self.open(method, path, body, headers))

    def _answer(self, response: Response) -> Answer:
        try:
            return self._read(response)
        except _BROKEN as error:
            self.close()
            raise self._unreachable(error) from None

    def _accepted(self, answer: Answer) -> Answer:
        if answer.status >= 400:
            raise_for(answer, self.base)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> Response:
        if self._offline:
            raise Offline
        given = {"User-Agent": f"modelshelf/{__version__}", **headers}
        if self._token and "Authorization" not in given:
            given["Authorization"] = f"Bearer {self._token}"
        if isinstance(body, bytes):
            given.setdefault("Content-Type", "application/json")
            given[CONTENT] = content_digest(body)
        connection = self._open()
        if connection.sock is None:
            connection.connect()
            arriving.settle(connection)
        connection.request(method, self._prefix + path, body=body, headers=given)
        response = connection.getresponse()
        assert isinstance(response, Response)
        return response

    def _open(self) -> http.client.HTTPConnection:
        held: _Held | None = getattr(self._local, "held", None)
        if held is None or _dropped(held.connection):
            patience = self._patience_seconds
            kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
            opened = kind(self._netloc[0] or "", self._netloc[1], timeout=patience)
            opened.response_class = partial(  # type: ignore[assignment]
                Response, rate=self._rate, patience_seconds=patience
            )
            held = self._local.held = _Held(opened)
        return held.connection

    def _read(self, response: Response) -> Answer:
        body = response.read(largest_answer_bytes + 1)
        if len(body) > largest_answer_bytes:
            self.close()
            raise NetworkError("the answer is too large to be true", where=self.base)
        headers = {name.lower(): value for name, value in response.getheaders()}
        self.answered = True
        try:
            require_content(headers.get(CONTENT), body)
        except IntegrityError as error:
            raise Damaged(error.message, where=self.base) from None
        return Answer(response.status, headers, body)

    def _unreachable(self, error: Exception) -> NetworkError:
        kind = Standstill if isinstance(error, TimeoutError) else NetworkError
        return kind(
            f"the registry cannot be reached: {error or type(error).__name__}",
            where=self.base,
            hint="is it running, and is the address right? (--registry or MODELSHELF_REGISTRY) "
            "What is here already can be had with --offline",
        )


def _dropped(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side closed a socket that lay idle: then there is something to read, its end."""
    socket = connection.sock
    if socket is None:
        return False
    try:
        return bool(select.select([socket], [], [], 0)[0])
    except (OSError, ValueError):
        return True


def _parts(base: str) -> SplitResult:
    """The parts of a registry's URL. Raises UsageError where it is none."""
    try:
        parts = urlsplit(base)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        fits = False
    if not fits:
        raise UsageError(
            f"`{base[:80]}` is not the URL of a registry", expected="http(s)://host[:port]"
        )
    return parts


def raise_for(answer: Answer, base: str) -> NoReturn:
    """Raise what an answer of status 400 or more means."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        told = {}
    if answer.status == 404 and "error" not in told:
        raise NoRegistry(
            "there is no Modelshelf registry at this address",
            where=base,
            hint="is the address right? (--registry or MODELSHELF_REGISTRY)",
        )
    by_status = _BY_STATUS.get(answer.status, NetworkError)
    kind = _ERRORS.get(str(told.get("error")), by_status)
    raise kind(
        str(told.get("message") or f"the registry answered {answer.status}"),
        where=str(told["where"]) if told.get("where") else base,
        expected=told.get("expected"),
        got=told.get("got"),
        hint=_text(told.get("hint"))
        or ("log in with: shelf login" if answer.status == 401 else None),
        problems=_problems(told.get("problems")),
    )


def _problems(told: object) -> tuple[Problem, ...]:
    """The problems that an answer lists; whatever is none is passed over."""
    listed = told if isinstance(told, list) else []
    return tuple(_problem(each) for each in listed if isinstance(each, dict))


def _problem(told: Mapping[str, object]) -> Problem:
    line = told.get("line")
    return Problem(
        _text(told.get("message")) or "a problem that the registry does not describe",
        _text(told.get("file")) or "",
        line if isinstance(line, int) else None,
        _text(told.get("element")),
        _text(told.get("hint")),
        _text(told.get("rule")) or "",
    )


def _text(told: object) -> str | None:
    """A text as it is, anything else as it would be written, nothing where there is nothing."""
    return None if told is None else str(told)


def _json(body: object) -> bytes:
    import msgspec

    return msgspec.json.encode(body)
