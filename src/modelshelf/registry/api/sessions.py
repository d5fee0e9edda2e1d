"""Publish sessions: open one, send what is missing, publish it."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from modelshelf.errors import Conflict, Invalid, NotFound, UsageError
from modelshelf.package.entry import Entry
from modelshelf.package.record import Record
from modelshelf.registry import arriving, publish, replies, staging
from modelshelf.registry.arriving import Expected
from modelshelf.registry.routing import Call, Resource, chunks, read_body
from modelshelf.registry.staging import Declared, Session
from modelshelf.store.disk import Appender

API = Resource("sessions")
BUFFER_BYTES = 32 << 10
"""So much of a body is in memory before it is written: a killed registry loses it."""


class NewSession(msgspec.Struct, frozen=True):
    """A release about to be published: its record and its files.

    `override` is the reason for a version that is lower than the changes ask for.
    """

    record: Record
    files: tuple[Declared, ...]
    override: str | None = None


class Opened(msgspec.Struct, frozen=True):
    """A session, and the sha256 of the files to send."""

    id: str
    missing: tuple[str, ...]
    expires: str


class Missing(msgspec.Struct, frozen=True):
    """A file still to be sent, from `offset` on (bytes)."""

    sha256: str
    size: int
    offset: int


class State(msgspec.Struct, frozen=True):
    """How far a session is; `state` is open, held, refused, published or dropped.

    `decision` is what the operator said of a session that was held.
    """

    id: str
    missing: tuple[Missing, ...]
    state: str
    expires: str
    decision: str | None = None


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A segment to be sent, from `offset` of its blob on (bytes); `base` if that needs one."""

    id: str
    offset: int
    base: str = ""


class Lacking(msgspec.Struct, frozen=True):
    """The segments of a file that are still to be sent."""

    missing: tuple[Wanted, ...]


class Received(msgspec.Struct, frozen=True):
    """How much of a file is here; `complete` once its sha256 was verified."""

    sha256: str
    offset: int
    complete: bool


@API.route(
    "POST", "/api/v1/sessions", summary="Begin to publish a release", body=NewSession,
    returns=Opened, scope="publish", status=201,
)  # fmt: skip
def open_session(call: Call, body: NewSession) -> Opened:
    """Open a session; whatever can be refused before a byte is sent is refused here."""
    service = call.service
    session = staging.open_session(
        service.database, service.settings, call.who, body.record, body.files, body.override
    )
    with service.database.reading() as connection:
        missing = staging.missing(connection, session)
    return Opened(session.id, tuple(file.sha256 for file in missing), session.expires)


@API.route(
    "GET", "/api/v1/sessions/{id}", summary="How far a session is", returns=State,
    scope="publish",
)  # fmt: skip
def read(call: Call) -> State:
    """Tell what is missing, and from where to go on."""
    session = staging.settle(call.service.database, call.service.store, _session(call))
    waiting: list[Declared] = []
    if session.state == "open":
        with call.service.database.reading() as connection:
            waiting = staging.missing(connection, session)
    missing = [
        Missing(file.sha256, file.size, staging.offset(call.service.store, session, file.sha256))
        for file in waiting
    ]
    return State(session.id, tuple(missing), session.state, session.expires, session.decision)


@API.route(
    "PUT", "/api/v1/sessions/{id}/files/{sha256}", summary="Send a file, or the rest of one",
    returns=Received, scope="publish", query=("offset",),
)  # fmt: skip
async def send(call: Call) -> Received:
    """Append the body to the file; a wrong offset is answered with 409 and the right one."""
    session = await run_in_threadpool(_session, call)
    file = _file(session, call.path("sha256"))
    if file.sha256 in session.sent:
        return Received(file.sha256, file.size, complete=True)
    _require_open(session)
    end = await _receive(call, session, file)
    if end < file.size:
        return Received(file.sha256, end, complete=False)
    service = call.service
    await run_in_threadpool(staging.verify, service.database, service.store, session, file)
    return Received(file.sha256, file.size, complete=True)


@API.route(
    "PUT", "/api/v1/sessions/{id}/recipes/{sha256}", summary="Tell of which segments a file is made",
    returns=Lacking, scope="publish",
)  # fmt: skip
async def tell_recipe(call: Call) -> Lacking:
    """Take the recipe of a file (msgpack, compressed) and answer which segments are to be sent."""
    session = await run_in_threadpool(_session, call)
    file = _file(session, call.path("sha256"))
    body = await read_body(call.request, call.service.settings.max_body_bytes)
    if session.state != "open" or file.sha256 in session.sent:
        return Lacking(())
    found = await run_in_threadpool(arriving.expect, call.service, session, file, body)
    return Lacking(tuple(Wanted(*each) for each in found))


@API.route(
    "PUT", "/api/v1/sessions/{id}/segments/{key}", summary="Send a segment, or the rest of one",
    returns=Received, scope="publish", query=("offset", "stored"),
)  # fmt: skip
async def send_segment(call: Call) -> Received:
    """Append the body to a blob of `stored` bytes; a wrong offset is answered with 409."""
    session = await run_in_threadpool(_session, call)
    key, stored = call.path("key"), _number(call, "stored")
    segment, come = await run_in_threadpool(_segment, call, session, key)
    if come:
        return Received(key, stored, complete=True)
    _require_open(session)
    if not 0 < stored <= arriving.LONGEST_BLOB_BYTES:
        raise Invalid("A segment cannot be so large", where=key, got=stored)
    await run_in_threadpool(_forget_longer, call, session, key, stored)
    end = await _receive(call, session, Declared(key, stored, key))
    if end < stored:
        return Received(key, end, complete=False)
    await run_in_threadpool(_accept_partial, call, session, segment)
    return Received(key, stored, complete=True)


@API.route(
    "POST", "/api/v1/sessions/{id}/segments", summary="Send several small segments",
    scope="publish", status=204,
)  # fmt: skip
async def send_bundle(call: Call) -> None:
    """Each: length of its key (2 bytes), key, length (4 bytes, the highest first), blob.

    What comes before a broken connection, or before a wrong one, is kept.
    """
    session = await run_in_threadpool(_session, call)
    _require_open(session)
    bundle, accepting = arriving.Bundle(), _Accepting(call, session)
    try:
        async for chunk in chunks(call.request):
            accepting.add(bundle.add(chunk))
    except ClientDisconnect:
        await accepting.finish()
        await run_in_threadpool(_keep_rest, call, session, bundle)
        raise
    except BaseException:
        await accepting.finish(quietly=True)
        raise
    await accepting.finish()
    bundle.finish()


@API.route(
    "POST", "/api/v1/sessions/{id}/publish", summary="Check and publish the release",
    returns=Entry, scope="publish", status=201,
)  # fmt: skip
def publish_session(call: Call) -> Entry:
    """Run all checks and publish; all or nothing."""
    return publish.publish(call.service, call.who, call.path("id"))


@API.route(
    "DELETE", "/api/v1/sessions/{id}", summary="Give a session up", scope="publish", status=204
)
def drop(call: Call) -> None:
    """Forget the session and what it sent."""
    session = _session(call)
    if session.state not in ("open", "held"):
        raise Conflict(f"The session is {session.state}", where=session.id)
    with call.service.database.writing() as connection:
        staging.close(connection, session.id, "dropped")
    staging.discard_partials(call.service.store, session)


def _session(call: Call) -> Session:
    with call.service.database.reading() as connection:
        return staging.load(connection, call.who, call.path("id"))


def _file(session: Session, sha256: str) -> Declared:
    for file in session.files:
        if file.sha256 == sha256:
            return file
    raise NotFound("The session has no such file", where=sha256[:64])


async def _receive(call: Call, session: Session, file: Declared) -> int:
    """Stream the body to the disk → length of the file so far."""
    store = call.service.store
    path = await run_in_threadpool(staging.partial, store, session, file.sha256)
    appending = store.append(path, _offset(call))
    try:
        appender = await run_in_threadpool(appending.__enter__)
    except Conflict as error:
        raise replies.Answer(409, error, fields={"offset": path.stat().st_size}) from None
    try:
        await _copy(call, appender, file)
    except BaseException as error:
        if not await run_in_threadpool(appending.__exit__, type(error), error, None):
            raise
    else:
        await run_in_threadpool(appending.__exit__, None, None, None)
    return appender.offset


async def _copy(call: Call, appender: Appender, file: Declared) -> None:
    """Body → file, a piece at a time; what came before a broken connection is kept."""
    buffer = bytearray()
    try:
        async for chunk in chunks(call.request):
            buffer += chunk
            if appender.offset + len(buffer) > file.size:
                raise Invalid(
                    "More bytes came than the file was declared to have",
                    where=file.path,
                    expected=file.size,
                )
            if len(buffer) >= BUFFER_BYTES:
                await run_in_threadpool(appender.write, bytes(buffer))
                buffer.clear()
    except ClientDisconnect:
        await run_in_threadpool(appender.write, bytes(buffer))
        raise
    await run_in_threadpool(appender.write, bytes(buffer))


def _segment(call: Call, session: Session, key: str) -> tuple[Expected, bool]:
    with call.service.database.reading() as connection:
        segment = arriving.expected(connection, session, key)
        return segment, arriving.has_come(connection, session, segment.id)


def _accept_partial(call: Call, session: Session, segment: Expected) -> None:
    """Take in a blob that has arrived; one that is not what it should be is thrown away."""
    path = staging.partial(call.service.store, session, segment.key)
    try:
        arriving.accept(call.service, session, segment, path.read_bytes())
    finally:
        call.service.store.discard(path)


def _forget_longer(call: Call, session: Session, key: str, stored: int) -> None:
    """What came of another encoding is of no use where that was longer."""
    path = staging.partial(call.service.store, session, key)
    if path.stat().st_size > stored:
        call.service.store.discard(path)


class _Accepting:
    """Takes in the blobs of a bundle while others come: what waits unread is lost with its sender."""

    def __init__(self, call: Call, session: Session) -> None:
        self._call = call
        self._session = session
        self._waiting: list[tuple[str, bytes]] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, blobs: list[tuple[str, bytes]]) -> None:
        """Take these in as soon as those before are; raises what was wrong with one of them."""
        self._waiting += blobs
        if self._waiting and (self._task is None or self._task.done()):
            if self._task is not None:
                self._task.result()
            self._task = asyncio.create_task(self._accept())

    async def finish(self, *, quietly: bool = False) -> None:
        """Wait for all; `quietly` only for those that have begun."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if self._task.exception() and not quietly:
                self._task.result()
        if not quietly:
            await self._accept()

    async def _accept(self) -> None:
        blobs, self._waiting = self._waiting, []
        await run_in_threadpool(_accept_bundle, self._call, self._session, blobs)


def _accept_bundle(call: Call, session: Session, blobs: list[tuple[str, bytes]]) -> None:
    for key, blob in blobs:
        segment, come = _segment(call, session, key)
        if not come:
            arriving.accept(call.service, session, segment, blob)


def _keep_rest(call: Call, session: Session, bundle: arriving.Bundle) -> None:
    """Keep what came of the last blob of a bundle, to go on with it alone."""
    if bundle.rest is None:
        return
    key, content = bundle.rest
    with contextlib.suppress(Conflict, NotFound):
        _segment(call, session, key)
        path = staging.partial(call.service.store, session, key)
        with call.service.store.append(path, 0) as appender:
            appender.write(content)


def _require_open(session: Session) -> None:
    if session.state != "open":
        raise Conflict(f"The session is {session.state}", where=session.id)


def _offset(call: Call) -> int:
    return _number(call, "offset")


def _number(call: Call, name: str) -> int:
    text = call.query(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UsageError(f"`{name}` must be a number of bytes", got=text[:40])
    return int(text)
