"""Answers: values as JSON, errors as their JSON with one status for each class."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

from modelshelf.errors import (
    Conflict,
    FormatError,
    IntegrityError,
    Invalid,
    NetworkError,
    NotAllowed,
    NotFound,
    Refused,
    ShelfError,
    UsageError,
)
from modelshelf.registry import log
from modelshelf.store.digest import CONTENT, content_digest
from modelshelf.store.disk import is_full

STATUS: dict[type[ShelfError], int] = {
    UsageError: 400,
    Invalid: 422,
    FormatError: 422,
    IntegrityError: 422,
    Refused: 422,
    NotFound: 404,
    Conflict: 409,
    NotAllowed: 403,
}
"""Without a token that is known, NotAllowed is 401; a full disk is 507, an object store that does not
answer 503; anything else is 500."""
STORE = "obstore"
"""What talks to an object store; its errors stand behind ours."""


class Answer(Exception):
    """An error that is sent with a status, headers and fields of its own."""

    def __init__(
        self,
        status: int,
        error: ShelfError,
        *,
        headers: Mapping[str, str] | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = dict(headers or {})
        self.fields = dict(fields or {})


def json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON; None is an empty answer (204)."""
    if value is None:
        return Response(status_code=204)
    return Response(
        msgspec.json.encode(value), status, headers=headers, media_type="application/json"
    )


def sealed(answer: Response) -> Response:
    """The same, with the digest of its body where that is all here: a wire may damage it."""
    if type(answer) is Response and answer.body:
        answer.headers[CONTENT] = content_digest(bytes(answer.body))
    return answer


def from_error(error: Exception, *, known: bool) -> Response:
    """The answer to any exception; `known` tells whether the client showed a valid token."""
    if isinstance(error, Answer):
        return json(error.error.as_json() | error.fields, error.status, error.headers)
    if is_full(error) or _database_is(error, "disk is full"):
        log.failure("disk full")
        return json(ShelfError("The registry's disk is full").as_json(), 507)
    if _is_of_object_store(error):
        log.failure("object store failed")
        said = ShelfError("The registry cannot reach its segments: try again later")
        return json(said.as_json(), 503, {"retry-after": "5"})
    if isinstance(error, ShelfError) and type(error) in STATUS:
        return _shelf_error(error, known=known)
    if _database_is(error, "database is locked"):
        return json(
            ShelfError("The registry is busy: try again").as_json(), 503, {"retry-after": "1"}
        )
    log.failure("request failed")
    said = ShelfError(
        "The registry failed to answer", hint=f"its log tells more: request {log.request_id.get()}"
    )
    return json(said.as_json(), 500)


def _shelf_error(error: ShelfError, *, known: bool) -> Response:
    status = STATUS[type(error)]
    if isinstance(error, NotAllowed) and not known:
        challenge = 'Bearer realm="modelshelf", Basic realm="modelshelf"'
        return json(error.as_json(), 401, {"www-authenticate": challenge})
    return json(error.as_json(), status)


def _is_of_object_store(error: Exception) -> bool:
    """Whether the operator's object store failed or refused: that is not the client's doing."""
    if isinstance(error, NotFound):
        return False
    origin = type(error.__cause__).__module__.partition(".")[0]
    return isinstance(error, NetworkError) or (isinstance(error, NotAllowed) and origin == STORE)


def _database_is(error: Exception, state: str) -> bool:
    return isinstance(error, DBAPIError) and state in str(error.orig)
