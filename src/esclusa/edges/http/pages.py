"""The API's own documentation: `/openapi.json`, `/docs` with files of ours alone, and what each type of problem means."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import Any

import msgspec
from litestar import Request
from litestar.response.base import ASGIResponse

from esclusa.edges.http import operations
from esclusa.edges.http.openapi import JSON, Route, document
from esclusa.edges.http.problems import PROBLEMS
from esclusa.edges.http.wire import problem_type_body
from esclusa.kernel.errors import NotFound

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: from here alone. Swagger UI sets styles on its elements, hence `unsafe-inline` for those."""


class _File(msgspec.Struct, frozen=True):
    place: str
    """In the folder `static`."""
    media: str


_PAGE = _File("docs.html", "text/html; charset=utf-8")
_FILES = {
    "docs.js": _File("docs.js", "text/javascript; charset=utf-8"),
    "swagger-ui-bundle.js": _File("vendored/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": _File("vendored/swagger-ui.css", "text/css; charset=utf-8"),
}


class Pages:
    """Documentation of an application, for anybody."""

    def __init__(self, routes: Iterable[Route], version: str) -> None:
        """`routes`: what the application serves beside these pages."""
        served = [*routes, *self.routes()]
        self._document = document((each.operation for each in served), version=version)

    def routes(self) -> list[Route]:
        """What is served here."""
        return [
            Route(operations.HOME, self.home),
            Route(operations.OPENAPI, self.openapi),
            Route(operations.DOCS, self.docs),
            Route(operations.DOCS_FILE, self.file),
            Route(operations.PROBLEM_TYPE, self.problem),
        ]

    async def home(self, _: Request[Any, Any, Any]) -> ASGIResponse:
        """Whoever opens the address that the program names, in a browser, looks for the documentation."""
        return ASGIResponse(status_code=307, headers={"location": operations.DOCS.path})

    async def openapi(self, _: Request[Any, Any, Any]) -> ASGIResponse:
        """The document."""
        return ASGIResponse(body=self._document, media_type=JSON)

    async def docs(self, _: Request[Any, Any, Any]) -> ASGIResponse:
        """The document, to browse."""
        return _served(_PAGE)

    async def file(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """A file that the page needs."""
        file = _FILES.get(request.scope["path_params"]["file"])
        if file is None:
            raise NotFound
        return _served(file)

    async def problem(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """What a type of problem means."""
        problem = PROBLEMS.get(request.scope["path_params"]["name"])
        if problem is None:
            raise NotFound
        return ASGIResponse(body=problem_type_body(problem))


def _served(file: _File) -> ASGIResponse:
    """Read when it is asked for: seldom, and two megabytes."""
    body = resources.files("esclusa.edges.http").joinpath("static", file.place).read_bytes()
    headers = {"content-type": file.media, "content-security-policy": _POLICY, "cache-control": "no-cache"}
    return ASGIResponse(body=body, headers=headers)
