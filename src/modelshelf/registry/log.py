"""Structured logs: one JSON object a line, each with the request that it belongs to."""

from __future__ import annotations

import json
import logging
import secrets
import sys
import time
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelshelf.registry import clock

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
logger = logging.getLogger("modelshelf.registry")

_QUIET = ("/healthz", "/readyz")


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON; what is passed as `extra={"fields": {...}}` is merged."""

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        fields: dict[str, object] = {
            "time": clock.now(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if (current := request_id.get()) is not None:
            fields["request"] = current
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


def to_stderr(level: int = logging.INFO) -> None:
    """Send the registry's log lines to standard error, once."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(level)


def event(name: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log one event with its fields."""
    if logger.isEnabledFor(level):
        logger.log(level, name, extra={"fields": fields})


def failure(name: str, **fields: object) -> None:
    """Log the exception being handled, with its trace."""
    logger.error(name, exc_info=sys.exception(), extra={"fields": fields})


class RequestLog:
    """ASGI middleware: gives each request an id, answers with it, and logs one line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; see the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = secrets.token_hex(8)
        token = request_id.set(identifier)
        started, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", identifier.encode())]
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            _log_request(scope, status, time.perf_counter() - started)
            request_id.reset(token)


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    if scope["path"] in _QUIET and status < 400:
        return
    event(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 2),
        client=(scope.get("client") or ("",))[0],
    )
