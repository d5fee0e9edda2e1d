"""A page: its path, the function that makes it, and what a reader sees where that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelshelf.errors import NotFound, ShelfError
from modelshelf.registry import log
from modelshelf.registry.pages.rendering import page as rendered
from modelshelf.registry.replies import Answer
from modelshelf.registry.routing import Call

_TITLES = {
    400: "This request cannot be answered",
    404: "There is nothing here",
    405: "This address answers no such request",
    500: "The registry failed to answer",
    503: "The registry is busy",
}


@dataclass(frozen=True)
class Page:
    """`function` makes the answer to GET `path`; it runs in a thread and may raise ShelfError."""

    path: str
    function: Callable[[Call], Response]

    def route(self) -> Route:
        """The Starlette route that serves it."""
        return Route(self.path, self.respond, methods=["GET"])

    def respond(self, request: Request) -> Response:
        """Answer a request; every failure becomes a page that says what is wrong."""
        call = Call(request, request.app.state.service, None)
        try:
            return self.function(call)
        except NotFound as error:
            return problem(request, 404, error)
        except Answer as answer:
            return problem(request, answer.status, answer.error)
        except ShelfError as error:
            return problem(request, 400, error)
        except Exception:  # noqa: BLE001 (whatever it is, the reader gets a page, the log the rest)
            log.failure("page failed", path=request.url.path)
            return problem(request, 500)


def problem(request: Request, status: int, error: ShelfError | None = None) -> Response:
    """The page for an answer that is an error."""
    usual = "The address may be mistyped, or what was here has gone."
    if status >= 500:
        usual = "The fault is on this side. Its operators find the reason in the log."
    context = {
        "status": status,
        "title": _TITLES.get(status, "This did not work"),
        "message": error.message if error else usual,
        "hint": error.hint if error else None,
    }
    return rendered(request, "problem.html", context, status=status)
