"""Errors on the wire: RFC 9457 problem details, one type an error, each described at its own address.

What can be refused is the tree below `esclusa.kernel.errors.Refused`; here stands what HTTP makes of it: the status, the
headers, and in words what a caller can do about it. The documentation and the OpenAPI document are made from `PROBLEMS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from esclusa.edges.http.trace import Trace
from esclusa.kernel import errors
from esclusa.kernel.errors import Refused

MEDIA_TYPE = "application/problem+json"
PREFIX = "/problems/"
MOST_ERRORS = 50
"""Listed in one problem: nobody mends more at once, and 64 KiB of mistakes would make a MiB of answer."""


class ProblemType(msgspec.Struct, frozen=True):
    """One type of problem."""

    name: str
    status: int
    title: str
    description: str
    """What it means and what the caller can do about it."""


class FaultBody(msgspec.Struct, frozen=True):
    """One thing wrong in the request."""

    pointer: Annotated[
        str, Meta(description="A JSON pointer (RFC 6901) into the body; empty for all of it, and for what is elsewhere")
    ]
    message: str


class ProblemBody(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Problem details (RFC 9457)."""

    type: Annotated[str, Meta(description="Where this type of problem is described", pattern=f"^{PREFIX}[a-z-]+$")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str | UnsetType = UNSET
    trace_id: Annotated[str, Meta(description="The trace in which it happened", pattern="^[0-9a-f]{32}$")]
    errors: Annotated[list[FaultBody], Meta(description="Everything that is wrong", max_length=MOST_ERRORS)] | UnsetType = UNSET


_KNOWN: Mapping[type[Refused], tuple[HTTPStatus, str]] = {
    errors.Malformed: (
        HTTPStatus.BAD_REQUEST,
        "Not JSON, not the fields or parameters that the operation takes, or a header that can't be read; `errors` says where.",
    ),
    errors.Unauthorized: (
        HTTPStatus.UNAUTHORIZED,
        "Send `Authorization: Bearer KEY` with the key of a configured client (`[clients.NAME]`).",
    ),
    errors.Forbidden: (
        HTTPStatus.FORBIDDEN,
        "The client is known, but its `permissions` do not include what the operation needs.",
    ),
    errors.NotFound: (
        HTTPStatus.NOT_FOUND,
        "Unknown, expired, cancelled or somebody else's: it is not told which. Or an address at which nothing is served.",
    ),
    errors.MethodNotAllowed: (HTTPStatus.METHOD_NOT_ALLOWED, "The header `Allow` lists the methods that are."),
    errors.TooSlow: (
        HTTPStatus.REQUEST_TIMEOUT,
        "Headers must come within `[server] headerTimeout`, a body within `bodyTimeout`. The connection is closed.",
    ),
    errors.TooLarge: (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "A body may have `[server] maxBody` bytes, 64 KiB unless configured. The connection is closed.",
    ),
    errors.UnsupportedType: (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "A body must be `Content-Type: application/json`, in UTF-8, with no `Content-Encoding`.",
    ),
    errors.UnknownQuery: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "`query` names no declared query; `GET /api/v1/queries` lists them.",
    ),
    errors.InvalidParams: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Parameters or connectors do not fit the query; `errors` names every one that is wrong.",
    ),
    errors.InvalidSubject: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The subject is not an identifier of the kind that the query takes, such as a NIF or NIE.",
    ),
    errors.IdempotencyMismatch: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A request was made under this `Idempotency-Key` with another body; another question needs another key.",
    ),
    errors.InvalidConfiguration: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The file has mistakes, or changes what only a restart can; `errors` names each, and nothing of it was taken.",
    ),
    errors.TooManyOpen: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "The subject has as many open requests as it may have; wait for one of them to be final, or cancel one.",
    ),
    errors.HeadersTooLarge: (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request line and the headers together may have `[server] maxHeader` bytes. The connection is closed.",
    ),
    errors.Internal: (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "A fault of this program; its log has a line with the trace id. What was asked for may have been done or not.",
    ),
    errors.Unavailable: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Storage does not answer, or the process is full, starting or draining: try again after `Retry-After`.",
    ),
}
PROBLEMS: Mapping[str, ProblemType] = {
    refused.name: ProblemType(refused.name, int(status), refused.title, description)
    for refused, (status, description) in _KNOWN.items()
}
"""Every problem that can be answered, by name."""
_encode = msgspec.json.Encoder().encode


def problem_of(refused: Refused) -> ProblemType:
    """The type of problem that a refusal is."""
    return PROBLEMS[refused.name]


def body_of(refused: Refused, trace: Trace) -> bytes:
    """The problem as JSON."""
    problem = problem_of(refused)
    return _encode(
        ProblemBody(
            type=PREFIX + problem.name,
            title=problem.title,
            status=problem.status,
            detail=_detail(refused) or UNSET,
            trace_id=trace.id,
            errors=[FaultBody(fault.pointer, fault.message) for fault in refused.faults[:MOST_ERRORS]] or UNSET,
        )
    )


def _detail(refused: Refused) -> str:
    """In words, with how many errors are not listed."""
    more = len(refused.faults) - MOST_ERRORS
    if more <= 0:
        return refused.detail
    return f"{refused.detail or refused.title}; {more} more errors are not listed"


def headers_of(refused: Refused) -> dict[str, str]:
    """The headers that go with it: its media type, when to try again, how to authenticate."""
    headers = {"content-type": MEDIA_TYPE}
    match problem_of(refused).status:
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            headers["retry-after"] = str(max(1, math.ceil(refused.retry_after or 1)))
        case HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = 'Bearer realm="esclusa"'
    return headers
