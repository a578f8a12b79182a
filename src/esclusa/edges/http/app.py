"""The application: routes, what becomes of errors, and the front before it all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from litestar import Litestar, Request, Response, route
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from esclusa.edges.http.front import TRACE, Front, failed
from esclusa.edges.http.headers import check_query
from esclusa.edges.http.openapi import Handler, Operation, Route
from esclusa.edges.http.problems import body_of, headers_of, problem_of
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import (
    Internal,
    Malformed,
    MethodNotAllowed,
    NotFound,
    Refused,
    StorageError,
    TooLarge,
    Unavailable,
)
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

API = "/api/"
"""Paths below are for programs, which have to hear of their mistakes."""
_OF_THE_ROUTER: dict[int, type[Refused]] = {
    HTTPStatus.BAD_REQUEST: Malformed,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.METHOD_NOT_ALLOWED: MethodNotAllowed,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge,
}
"""What the framework says by itself."""


def make_app(routes: Sequence[Route], settings: ServerSettings, clock: Clock, ids: Ids, instrument: Instrument) -> Front:
    """The ASGI application that serves `routes` and nothing else."""
    paths: dict[str, set[str]] = {}
    for operation, _ in routes:
        paths.setdefault(operation.path, set()).update(_methods(operation))
    app = Litestar(
        [
            # first, so that the framework adds none of its own, which know only some of a path's methods
            *(_endpoint(path, {"OPTIONS"}, _options({*methods, "OPTIONS"})) for path, methods in paths.items()),
            *(_endpoint(operation.path, _methods(operation), _strict(operation, handler)) for operation, handler in routes),
        ],
        exception_handlers={Exception: _problem(instrument)},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,  # the front's work
        debug=False,
    )
    return Front(app, settings, clock, ids, instrument)


def _methods(operation: Operation) -> set[str]:
    """A GET is served as HEAD too, and the server leaves the body out. Not a stream, which has no end to wait for."""
    streams = any(reply.media == "text/event-stream" for reply in operation.replies.values())
    return {"GET", "HEAD"} if operation.method == "GET" and not streams else {operation.method}


def _endpoint(path: str, methods: set[str], handler: Handler) -> HTTPRouteHandler:
    async def serve(request: Request[Any, Any, Any]) -> ASGIResponse:
        return await handler(request)

    template = re.sub(r"{(\w+)}", r"{\1:str}", path)
    return route(template, http_method=sorted(methods), status_code=HTTPStatus.OK)(serve)  # type: ignore[arg-type]  # litestar has them as literals


def _strict(operation: Operation, handler: Handler) -> Handler:
    """Of the API: a query parameter that is not described is refused. Probes and pages don't mind what is added to them."""
    if not operation.path.startswith(API):
        return handler
    known = [parameter.name for parameter in operation.parameters if parameter.place == "query"]

    async def strict(request: Request[Any, Any, Any]) -> ASGIResponse:
        check_query(request.scope, known)
        return await handler(request)

    return strict


def _options(methods: set[str]) -> Handler:
    allowed = ", ".join(sorted(methods))

    async def options(_: Request[Any, Any, Any]) -> ASGIResponse:
        return ASGIResponse(status_code=HTTPStatus.NO_CONTENT, headers={"allow": allowed})

    return options


def _problem(instrument: Instrument) -> Callable[[Request[Any, Any, Any], Exception], Response[bytes]]:
    """What becomes of an error that a handler or the router raises."""

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        trace = request.scope["state"][TRACE]
        refused = refused_of(error)
        if isinstance(refused, Internal):
            failed(instrument, trace, error)
        headers = headers_of(refused)
        if isinstance(refused, MethodNotAllowed) and isinstance(error, HTTPException) and error.headers:
            headers["allow"] = ", ".join(sorted(error.headers["allow"].split(", ")))
        return Response(body_of(refused, trace), status_code=problem_of(refused).status, headers=headers)

    return handle


def refused_of(error: Exception) -> Refused:
    """The refusal that an error comes down to; `Internal` for what nobody expected."""
    match error:
        case Refused():
            return error
        case StorageError():
            return Unavailable("Storage does not answer")
        case HTTPException():
            return _OF_THE_ROUTER.get(error.status_code, Internal)()
        case _:
            return Internal()
