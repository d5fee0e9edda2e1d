"""The whole server as one ASGI application: its parts put together, its routes found."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from modelshelf.errors import NotFound, ShelfError, UsageError
from modelshelf.plugins import offered
from modelshelf.registry import (
    describing,
    encoding,
    families,
    grouping,
    index,
    jobs,
    log,
    openapi,
    pages,
    replies,
    shapes,
    upkeep,
)
from modelshelf.registry.accounts import Passwords, Throttle
from modelshelf.registry.comparisons import Comparisons
from modelshelf.registry.derived import Derived
from modelshelf.registry.downloads import DownloadLog
from modelshelf.registry.index import Documents
from modelshelf.registry.routing import Call, Endpoint, Resource
from modelshelf.registry.search import open_search
from modelshelf.registry.service import Service, open_kept
from modelshelf.registry.settings import Settings

_MACHINES = ("/api/", "/files/", "/index/", "/recipes/", "/segments/")
"""Below these addresses there are no pages, and errors are JSON."""
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(settings: Settings) -> Starlette:
    """The registry over the folder `settings.data`; its parts open when the server starts."""
    app = Starlette(
        routes=routes(),
        middleware=[
            Middleware(index.Shortcut),
            Middleware(log.RequestLog),
            Middleware(pages.SecurityHeaders),
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["GET", "HEAD"],
                allow_headers=["Range", "If-Range", "If-None-Match", "Shelf-Install"],
                expose_headers=["ETag", "Content-Range", "Accept-Ranges", "Content-Length"],
            ),
        ],
        exception_handlers={HTTPException: _not_routed},
        lifespan=_lifespan,
    )
    shapes.learn()
    app.state.settings = settings
    return app


def endpoints() -> list[Endpoint]:
    """Every endpoint that the modules of `api/` offer."""
    resources = [
        each for each in offered("modelshelf.registry.api", "API") if isinstance(each, Resource)
    ]
    return [endpoint for resource in resources for endpoint in resource.endpoints]


def routes() -> list[BaseRoute]:
    """All routes: the API's, fixed paths before those with parameters, then the pages'."""
    found = [*endpoints(), *_OPENAPI.endpoints]
    ordered = sorted(found, key=lambda endpoint: endpoint.path.count("{"))
    api = [
        Route(endpoint.path, _answering(endpoint), methods=[endpoint.method])
        for endpoint in ordered
    ]
    nothing = [Route(f"{path}{{rest:path}}", _nothing, methods=_METHODS) for path in _MACHINES]
    return [*api, *nothing, *pages.routes()]


def open_service(settings: Settings) -> Service:
    """Open the parts of a registry, its tables brought up to date; `close_service` ends it."""
    settings.data.mkdir(parents=True, exist_ok=True)
    kept = open_kept(settings)
    database, store = kept.database, kept.store
    search = open_search(settings.data / "search")
    anew = search.fresh or not (settings.data / "index").exists()
    counting = DownloadLog(settings.data / "downloads")
    (settings.data / "index").mkdir(exist_ok=True)
    worker = jobs.Jobs(database, settings.job_attempts)
    derived = Derived(settings, database, store, kept.raw, search, counting)
    derived.attach(worker)
    upkeep.attach(worker, kept)
    worker.handle(describing.JOB, lambda key: describing.describe(kept, _release(key)))
    worker.handle(encoding.JOB, lambda key: encoding.encode(kept, _release(key)))
    worker.handle(families.JOB, lambda _payload: grouping.group(kept))
    with database.writing() as connection:
        describing.enqueue_lacking(connection)
        encoding.enqueue_lacking(connection)
        grouping.ask_where_lacking(connection)
        if anew:
            jobs.enqueue(connection, "rebuild", {})
    return Service(
        settings=settings,
        database=database,
        store=store,
        blobs=kept.blobs,
        codecs=kept.codecs,
        raw=kept.raw,
        search=search,
        downloads=counting,
        documents=Documents(settings.data / "index"),
        passwords=Passwords(settings.password_memory_kib),
        throttle=Throttle(),
        jobs=worker,
        comparisons=Comparisons(database),
        refresh=derived.refresh,
        count=derived.count,
    )


def _release(key: dict[str, str]) -> tuple[str, str, str]:
    return key["publisher"], key["name"], key["version"]


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    service = await to_thread.run_sync(open_service, settings)
    app.state.service = service
    service.jobs.start()
    log.event("started", data=str(settings.data))
    try:
        yield
    finally:
        await to_thread.run_sync(service.jobs.stop, settings.stop_seconds)
        service.database.close()
        log.event("stopped")


def _answering(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """A function, as Starlette wants one: an object would be taken for a whole application."""

    async def answer(request: Request) -> Response:
        return await endpoint(request)

    return answer


async def _nothing(request: Request) -> Response:
    """Keep the pages' broad addresses from answering for the machines' ones."""
    partly = [
        route for route in request.app.routes if route.matches(request.scope)[0] is Match.PARTIAL
    ]
    allowed = sorted({method for route in partly for method in route.methods or ()})
    if allowed:
        raise HTTPException(405, headers={"allow": ", ".join(allowed)})
    raise HTTPException(404)


async def _not_routed(request: Request, error: Exception) -> Response:
    """No route, or not with this method: JSON for machines, a page for people."""
    assert isinstance(error, HTTPException)
    if not request.url.path.startswith(_MACHINES):
        return pages.problem(request, error.status_code)
    said: ShelfError = NotFound("There is nothing at this address", where=request.url.path[:200])
    if error.status_code == 405:
        said = UsageError(f"{request.method} is not answered here", where=request.url.path[:200])
    log.event("not routed", level=logging.DEBUG, path=request.url.path)
    return replies.json(said.as_json(), error.status_code, error.headers)


_OPENAPI = Resource("openapi", documented=False)


@_OPENAPI.route("GET", "/openapi.json", summary="This description")
async def describe(_call: Call) -> dict[str, object]:
    """Describe every endpoint."""
    return openapi.document(endpoints(), version("modelshelf"))
