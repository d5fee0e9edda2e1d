"""Endpoints: registered where they are written, told in OpenAPI 3.1, served as thin functions.

    API = Resource("tokens")

    @API.route("POST", "/api/v1/tokens", summary="Make a token", body=NewToken, returns=Made)
    def create(call: Call, body: NewToken) -> Made: ...

A plain function runs in a thread, an `async` one in the event loop. What it returns is a value,
sent as JSON, or a Starlette response.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio
import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from modelshelf.errors import Invalid, NotAllowed, UsageError
from modelshelf.registry import accounts, replies
from modelshelf.registry.accounts import Identity
from modelshelf.registry.service import Service
from modelshelf.store.digest import CONTENT, require_content

Function = TypeVar("Function", bound=Callable[..., object])
ANY_TOKEN = "any"  # noqa: S105 (a scope that every token has)
DRAINED_BYTES = 32 << 20
STALLED_SECONDS = 60.0
PASSWORD = "password"  # noqa: S105 (not a scope of tokens: HTTP Basic with the account's password)


@dataclass(frozen=True)
class Call:
    """One request: the registry it is made to, and who makes it (None: nobody in particular)."""

    request: Request
    service: Service
    identity: Identity | None

    def path(self, name: str) -> str:
        """A parameter from the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        """A parameter from the query."""
        return self.request.query_params.get(name)

    @property
    def who(self) -> Identity:
        """Who makes the request, where the endpoint asks for a token."""
        assert self.identity is not None
        return self.identity

    @property
    def wants_whole(self) -> bool:
        """Whether the client asks for all bytes of something."""
        return self.request.method == "GET" and "range" not in self.request.headers

    def install(self, digest: str) -> Callable[[int], None] | None:
        """Where to tell how many bytes of `digest` were sent, where this is part of an install."""
        header = self.request.headers.get("shelf-install")
        if header is None or self.request.method == "HEAD":
            return None
        client = self.request.client.host if self.request.client else ""
        return partial(self.service.downloads.write, header, digest, client)

    @property
    def base_url(self) -> str:
        """Address of the registry as this client reaches it, without a slash at the end."""
        return (self.service.settings.public_url or str(self.request.base_url)).rstrip("/")


@dataclass(frozen=True)
class Endpoint:
    """One operation. `scope` is what a token must be allowed; None needs no token."""

    method: str
    path: str
    function: Callable[..., object]
    summary: str
    body: type | None = None
    returns: type | None = None
    scope: str | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    tag: str = ""
    documented: bool = True

    async def __call__(self, request: Request) -> Response:
        """Answer a request; every ShelfError becomes its JSON and status."""
        identity: Identity | None = None
        service: Service = request.app.state.service
        try:
            if self.scope is not None or "authorization" in request.headers:
                identity = await run_in_threadpool(identified, service, request, self.scope)
            arguments: list[object] = [Call(request, service, identity)]
            if self.body is not None:
                arguments.append(
                    decoded(await read_body(request, service.settings.max_body_bytes), self.body)
                )
            if inspect.iscoroutinefunction(self.function):
                result = await self.function(*arguments)
            else:
                result = await run_in_threadpool(self.function, *arguments)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 (each gets its status; the unexpected is logged)
            await drain(request)
            return self._private(request, replies.from_error(error, known=identity is not None))
        answer = result if isinstance(result, Response) else replies.json(result, self.status)
        return self._private(request, answer)

    def _private(self, request: Request, answer: Response) -> Response:
        """What is told to one account no cache may keep for the next."""
        replies.sealed(answer)
        if self.scope is not None or "authorization" in request.headers:
            answer.headers.setdefault("cache-control", "no-store")
        return answer


class Resource:
    """The endpoints of one module, in the order in which they are written."""

    def __init__(self, tag: str, *, documented: bool = True) -> None:
        self.tag = tag
        self.endpoints: list[Endpoint] = []
        self._documented = documented

    def route(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        body: type | None = None,
        returns: type | None = None,
        scope: str | None = None,
        status: int = 200,
        query: tuple[str, ...] = (),
    ) -> Callable[[Function], Function]:
        """Register the decorated function, which takes a Call and, with `body`, that value."""

        def register(function: Function) -> Function:
            self.endpoints.append(
                Endpoint(
                    method, path, function, summary, body, returns, scope, status, query,
                    self.tag, self._documented,
                )
            )  # fmt: skip
            return function

        return register


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body; more than `limit_bytes` is answered with 413 as soon as that is known.

    Raises IntegrityError for one that was damaged on the way.
    """
    too_large = replies.Answer(
        413, Invalid("The document is too large", expected=f"at most {limit_bytes} bytes")
    )
    if int(content_length(request) or 0) > limit_bytes:
        raise too_large
    parts = bytearray()
    async for chunk in chunks(request):
        parts += chunk
        if len(parts) > limit_bytes:
            raise too_large
    body = bytes(parts)
    require_content(request.headers.get(CONTENT), body)
    return body


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it comes; a client that sends nothing for long is taken to have gone."""
    stream = request.stream()
    while True:
        try:
            with anyio.fail_after(STALLED_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ClientDisconnect from None
        yield chunk


async def drain(request: Request) -> None:
    """Take in the rest of a body that was refused: a client still sending could not read why."""
    seen = 0
    with contextlib.suppress(RuntimeError, ClientDisconnect):  # it was read already, or hung up
        async for chunk in chunks(request):
            seen += len(chunk)
            if seen > DRAINED_BYTES:
                return


def content_length(request: Request) -> int | None:
    """The length that the client announced, if it did so properly."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def decoded(body: bytes, model: type[msgspec.Struct] | type) -> object:
    """JSON → a value of `model`; raises UsageError (no JSON) or Invalid (another shape)."""
    try:
        return msgspec.json.decode(body, type=model)
    except msgspec.ValidationError as error:
        raise Invalid(f"The document does not have the right shape: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"The body is not JSON: {error}") from None


def identified(service: Service, request: Request, scope: str | None) -> Identity | None:
    """Who makes the request; raises NotAllowed unless it may do what `scope` says.

    A wrong token is refused even where none is needed: it tells of a mistake.
    """
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if scope in (PASSWORD, "account") and kind.lower() == "basic":
        return _by_password(service, request, secret)
    if kind.lower() == "bearer":
        with service.database.reading() as connection:
            identity = accounts.identify(connection, secret.strip())
        if scope in (None, ANY_TOKEN) or scope in identity.scopes:
            return identity
        raise replies.Answer(
            403,
            NotAllowed(
                f"The token may not do this: it lacks the scope `{scope}`",
                expected=scope,
                got=" ".join(sorted(identity.scopes)),
            ),
        )
    if scope is None:
        return None
    raise NotAllowed(
        "This needs the account and its password" if scope == PASSWORD else "This needs a token",
        hint=None if scope == PASSWORD else "`shelf login` makes one",
    )


def _by_password(service: Service, request: Request, secret: str) -> Identity:
    try:
        account, _, password = base64.b64decode(secret, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise UsageError("The Authorization header is not HTTP Basic") from None
    client = request.client.host if request.client else ""
    key = f"{client} {account}"
    if wait := service.throttle.wait_seconds(key):
        raise replies.Answer(
            429,
            NotAllowed(f"Too many wrong passwords: wait {wait} seconds"),
            headers={"retry-after": str(wait)},
        )
    with service.database.reading() as connection:
        hashed = accounts.password_of(connection, account)
    if not service.passwords.matches(hashed, password):
        service.throttle.failed(key)
        raise NotAllowed("The account or the password is wrong")
    return Identity(account, frozenset(accounts.SCOPES))
