"""The OpenAPI 3.1 document, made from what is served.

Each route stands beside its `Operation`, and the application is built from such pairs alone, so nothing is served that is
not described, nor the other way round; but for signposts, which lead to what is. Schemas are those of the structs that bodies are decoded into and encoded from.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from litestar import Request
from litestar.response.base import ASGIResponse

from esclusa.edges.http.problems import MEDIA_TYPE, PROBLEMS, ProblemBody
from esclusa.kernel import errors
from esclusa.kernel.errors import Refused

JSON = "application/json"
_SCHEMA = "#/components/schemas/{name}"


class Parameter(msgspec.Struct, frozen=True):
    """Something that is said outside the body."""

    name: str
    place: str
    """`path`, `query` or `header`."""
    description: str
    schema: Mapping[str, Any]

    def shown(self) -> dict[str, Any]:
        """As the document has it."""
        said = {"name": self.name, "in": self.place, "description": self.description, "schema": self.schema}
        return said | {"required": True} if self.place == "path" else said


class Reply(msgspec.Struct, frozen=True):
    """An answer that is no error."""

    description: str
    body: Any = None
    """The type of the body, or a schema for what is not JSON; None: there is no body."""
    media: str = JSON
    headers: Sequence[str] = ()
    """Names in `HEADERS`."""
    links: Mapping[str, Mapping[str, str]] = {}
    """Operations that go on from here: by id, their parameters as runtime expressions."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one address."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: Any = None
    """The type of the request's body; None: it has none."""
    example: Any = None
    """Of the request's body."""
    replies: Mapping[int, Reply]
    refusals: Sequence[type[Refused]] = ()
    """What can go wrong beside what can go wrong everywhere."""
    open: bool = False
    """It needs no key."""
    signpost: bool = False
    """It leads a person to another address, and is not described."""


Handler = Callable[[Request[Any, Any, Any]], Coroutine[Any, Any, ASGIResponse]]


class Route(NamedTuple):
    """What is served, and how it is described."""

    operation: Operation
    handler: Handler


EVERYWHERE: Sequence[type[Refused]] = (
    errors.Malformed,
    errors.TooSlow,
    errors.TooLarge,
    errors.HeadersTooLarge,
    errors.Internal,
)
"""What any request can be refused with."""
HEADERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "traceresponse": (
        "The trace that the answer belongs to (W3C Trace Context): `00-TRACE-SPAN-FLAGS`",
        {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
    ),
    "Location": ("Where the results are", {"type": "string", "format": "uri-reference"}),
    "Retry-After": ("Seconds after which it is worth trying", {"type": "integer", "minimum": 1}),
    "ETag": ("Changes when another back end has answered, and when it is final", {"type": "string"}),
    "Preference-Applied": ("The preference that was followed (RFC 7240)", {"type": "string", "pattern": "^wait=[0-9]+$"}),
    "WWW-Authenticate": ("How to authenticate", {"type": "string"}),
}
SOMETIMES = frozenset({"Preference-Applied"})
"""Headers that an answer which may have them need not have."""


def document(operations: Iterable[Operation], *, version: str) -> bytes:
    """The document of what is served, as JSON."""
    served = [each for each in operations if not each.signpost]
    paths: dict[str, dict[str, Any]] = {}
    for operation in served:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    types = [body for operation in served for body in _bodies(operation)] + [ProblemBody]
    _, schemas = msgspec.json.schema_components(types, ref_template=_SCHEMA)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Esclusa",
                "version": version,
                "summary": "Ask many back ends once, see the answers as they come",
                "description": _DESCRIPTION,
                "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [
                {"name": name, "description": about} for name, about in _TAGS.items() if name in {each.tag for each in served}
            ],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "key": {"type": "http", "scheme": "bearer", "description": "The key of a client (`[clients.NAME]`)"}
                },
                "headers": {
                    name: {"description": about, "schema": schema, "required": name not in SOMETIMES}
                    for name, (about, schema) in HEADERS.items()
                },
            },
        }
    )


_DESCRIPTION = (
    "A question goes in once; every back end concerned is asked; answers can be read as they come, polled, waited for or "
    "pushed; what could not be had is named.\n\nEvery error is a problem (RFC 9457). Every answer says its trace."
)
_TAGS = {
    "requests": "Ask, look, wait, follow, cancel",
    "inventory": "What may be asked, of whom, and how they are",
    "administration": "What the operator of the machine does to the process",
    "health": "For balancers and monitors",
    "documentation": "This document, and what the problems mean",
}


def _bodies(operation: Operation) -> Iterable[Any]:
    if operation.body is not None:
        yield operation.body
    for reply in operation.replies.values():
        if reply.body is not None and not isinstance(reply.body, dict):
            yield reply.body


def _operation(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [parameter.shown() for parameter in operation.parameters],
        "responses": {str(status): _reply(reply) for status, reply in operation.replies.items()} | _problems(operation),
        "security": [] if operation.open else [{"key": []}],
    }
    if operation.body is not None:
        content = {"schema": _schema(operation.body), "example": operation.example}
        said["requestBody"] = {"required": True, "content": {JSON: content}}
    return said


def _reply(reply: Reply) -> dict[str, Any]:
    said: dict[str, Any] = {"description": reply.description, "headers": _headers("traceresponse", *reply.headers)}
    if reply.body is not None:
        said["content"] = {reply.media: {"schema": _schema(reply.body)}}
    if reply.links:
        said["links"] = {id: {"operationId": id, "parameters": parameters} for id, parameters in reply.links.items()}
    return said


def _problems(operation: Operation) -> dict[str, Any]:
    """By status: every problem that the operation can be refused with."""
    refusals = {*EVERYWHERE, *operation.refusals, *(() if operation.open else (errors.Unauthorized,))}
    names: dict[int, list[str]] = {}
    for name, problem in PROBLEMS.items():
        if any(refused.name == name for refused in refusals):
            names.setdefault(problem.status, []).append(name)
    return {str(status): _problem(status, names[status]) for status in sorted(names)}


def _problem(status: int, names: Sequence[str]) -> dict[str, Any]:
    headers = ["traceresponse"]
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers.append("Retry-After")
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append("WWW-Authenticate")
    return {
        "description": "\n\n".join(f"`{name}`: {PROBLEMS[name].description}" for name in names),
        "headers": _headers(*headers),
        "content": {MEDIA_TYPE: {"schema": _schema(ProblemBody)}},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _schema(body: Any) -> Any:
    if isinstance(body, dict):
        return body
    (schema,), _ = msgspec.json.schema_components([body], ref_template=_SCHEMA)
    return schema
