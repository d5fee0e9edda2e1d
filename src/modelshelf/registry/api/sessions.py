"""Publish sessions: open one, send what is missing, publish it."""

from __future__ import annotations

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from modelshelf.errors import Conflict, Invalid, NotFound, UsageError
from modelshelf.package.entry import Entry
from modelshelf.package.record import Record
from modelshelf.registry import publish, replies, staging
from modelshelf.registry.routing import Call, Resource, chunks
from modelshelf.registry.staging import Declared, Session
from modelshelf.store.disk import Appender

API = Resource("sessions")
BUFFER_BYTES = 1 << 20


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
    if session.state != "open":
        raise Conflict(f"The session is {session.state}", where=session.id)
    end = await _receive(call, session, file)
    if end < file.size:
        return Received(file.sha256, end, complete=False)
    service = call.service
    await run_in_threadpool(staging.verify, service.database, service.store, session, file)
    return Received(file.sha256, file.size, complete=True)


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
    """Body → file, a megabyte at a time; what came before a broken connection is kept."""
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


def _offset(call: Call) -> int:
    text = call.query("offset") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UsageError("`offset` must be a number of bytes", got=text[:40])
    return int(text)
