"""Every operation of the API, as it is described; what serves them is in the modules named for what they serve."""

from __future__ import annotations

from esclusa.edges.http.headers import KEY, LONGEST_KEY, LONGEST_WAIT
from esclusa.edges.http.inventory_wire import ConnectorsBody, PoolsBody, ProcessesBody, QueriesBody
from esclusa.edges.http.openapi import Operation, Parameter, Reply
from esclusa.edges.http.problems import PROBLEMS
from esclusa.edges.http.wire import HealthBody, ProblemTypeBody, ReceiptBody, ReloadedBody, SnapshotBody, SubmissionBody
from esclusa.kernel import errors

ID = Parameter("id", "path", "The request", {"type": "string", "format": "uuid"})
IF_NONE_MATCH = Parameter(
    "If-None-Match", "header", "The `ETag` of what the reader has; the answer is `304` while it is still so", {"type": "string"}
)
PREFER = Parameter(
    "Prefer",
    "header",
    f"`wait=N`: hold the answer for up to N seconds (at most {LONGEST_WAIT}), with `If-None-Match` until the tag is another, "
    "without it until there is one more answer. A final result is answered at once.",
    {"type": "string", "examples": ["wait=10"]},
)
DATA = Parameter("data", "query", "`false`: everything but what the back ends said", {"type": "boolean", "default": True})
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    "A name for this question, made by the caller: sent again, it gets the same request, asked once",
    {"type": "string", "maxLength": LONGEST_KEY, "pattern": f"^{KEY}$"},
)
LAST_EVENT_ID = Parameter(
    "Last-Event-ID", "header", "The id of the last event that the reader has: it gets what came after", {"type": "string"}
)
EVENT = {
    "type": "object",
    "description": "One event. `answer`: an `AnswerBody`; `done`: a `SnapshotBody` without data.",
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"},
        "event": {"enum": ["answer", "done"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer"},
    },
}
PROBLEM = Parameter("name", "path", "The type of problem", {"type": "string", "enum": list(PROBLEMS)})
FILE = Parameter("file", "path", "The file", {"type": "string", "enum": ["docs.js", "swagger-ui-bundle.js", "swagger-ui.css"]})

SUBMIT = Operation(
    id="submit",
    method="POST",
    path="/api/v1/requests",
    tag="requests",
    summary="Ask",
    description="Answers once the question is durable; the back ends are asked from then on. The subject is always named, "
    "and the client needs the permission `ask-for-anyone`.",
    parameters=[IDEMPOTENCY_KEY],
    body=SubmissionBody,
    example={"query": "expedientes", "subject": "12345678Z", "params": {"province": "28"}},
    replies={
        202: Reply(
            "It will be asked",
            ReceiptBody,
            headers=["Location", "Retry-After"],
            links={each: {"id": "$response.body#/id"} for each in ("read", "follow", "cancel")},
        )
    },
    refusals=[
        errors.Forbidden,
        errors.UnsupportedType,
        errors.UnknownQuery,
        errors.InvalidParams,
        errors.InvalidSubject,
        errors.IdempotencyMismatch,
        errors.TooManyOpen,
        errors.Unavailable,
    ],
)
READ = Operation(
    id="read",
    method="GET",
    path="/api/v1/requests/{id}",
    tag="requests",
    summary="See what is known now, or wait for more",
    description="Every back end concerned is in `answers` or in `pending`. While `queryMore`, ask again after `retryAfterMs`.",
    parameters=[ID, DATA, PREFER, IF_NONE_MATCH],
    replies={
        200: Reply("What is known", SnapshotBody, headers=["ETag", "Preference-Applied"]),
        304: Reply("Nothing has changed", headers=["ETag", "Preference-Applied"]),
    },
    refusals=[errors.NotFound, errors.Unavailable],
)
FOLLOW = Operation(
    id="follow",
    method="GET",
    path="/api/v1/requests/{id}/events",
    tag="requests",
    summary="Have the answers pushed",
    description="Server-sent events: an `answer` for each, then `done` with the final result less the data; a comment every "
    "15 seconds. Any instance goes on from any event's id.",
    parameters=[ID, LAST_EVENT_ID],
    replies={
        200: Reply("The answers, as they come", EVENT, "text/event-stream"),
        204: Reply("The reader has everything: do not come back"),
    },
    refusals=[errors.NotFound, errors.Unavailable],
)
CANCEL = Operation(
    id="cancel",
    method="DELETE",
    path="/api/v1/requests/{id}",
    tag="requests",
    summary="Cancel and forget",
    description="Nothing more is asked, and what was gathered is deleted, now and for good.",
    parameters=[ID],
    replies={204: Reply("It is gone")},
    refusals=[errors.NotFound, errors.Unavailable],
)
QUERIES = Operation(
    id="queries",
    method="GET",
    path="/api/v1/queries",
    tag="inventory",
    summary="What may be asked",
    replies={200: Reply("The declared queries", QueriesBody)},
)
CONNECTORS = Operation(
    id="connectors",
    method="GET",
    path="/api/v1/connectors",
    tag="inventory",
    summary="The back ends and how they are",
    replies={200: Reply("The inventory and its health", ConnectorsBody)},
    refusals=[errors.Unavailable],
)
PROCESSES = Operation(
    id="processes",
    method="GET",
    path="/api/v1/processes",
    tag="inventory",
    summary="The processes that serve them",
    replies={200: Reply("Every process that has said lately that it lives", ProcessesBody)},
    refusals=[errors.Unavailable],
)
POOLS = Operation(
    id="pools",
    method="GET",
    path="/api/v1/pools",
    tag="inventory",
    summary="The pools and how far behind they are",
    description="What the log itself says, whether or not any process of a pool lives; a moment old at most.",
    replies={200: Reply("Every pool", PoolsBody)},
    refusals=[errors.Unavailable],
)
LIVE = Operation(
    id="live",
    method="GET",
    path="/health/live",
    tag="health",
    summary="Whether the process lives",
    replies={200: Reply("It does", HealthBody)},
    open=True,
)
READY = Operation(
    id="ready",
    method="GET",
    path="/health/ready",
    tag="health",
    summary="Whether to send it requests",
    description="`503` only while it starts, which may wait for storage, and while it drains. A lost dependency is `200` and `degraded`.",
    replies={200: Reply("It is ready, or degraded", HealthBody)},
    refusals=[errors.Unavailable],
    open=True,
)
RELOAD = Operation(
    id="reload",
    method="POST",
    path="/api/v1/reload",
    tag="administration",
    summary="Take the configuration anew",
    description="The file is read again, and taken whole or not at all. By the local socket alone: `esclusa reload`.",
    replies={200: Reply("What it has changed", ReloadedBody)},
    refusals=[errors.Forbidden, errors.InvalidConfiguration],
)
METRICS = Operation(
    id="metrics",
    method="GET",
    path="/metrics",
    tag="health",
    summary="Counters, gauges and histograms",
    replies={200: Reply("In the format of Prometheus", {"type": "string"}, "text/plain")},
    open=True,
)
OPENAPI = Operation(
    id="openapi",
    method="GET",
    path="/openapi.json",
    tag="documentation",
    summary="This document",
    replies={200: Reply("OpenAPI 3.1", {"type": "object"})},
    open=True,
)
DOCS = Operation(
    id="docs",
    method="GET",
    path="/docs",
    tag="documentation",
    summary="This document, to browse",
    replies={200: Reply("A page", {"type": "string"}, "text/html")},
    open=True,
)
HOME = Operation(
    id="home",
    method="GET",
    path="/",
    tag="documentation",
    summary="Where the documentation is",
    replies={307: Reply("It is there", headers=["Location"])},
    open=True,
    signpost=True,
)
DOCS_FILE = Operation(
    id="docsFile",
    method="GET",
    path="/docs/{file}",
    tag="documentation",
    summary="What the page is made of",
    parameters=[FILE],
    replies={200: Reply("A file", {"type": "string"}, "*/*")},
    refusals=[errors.NotFound],
    open=True,
)
PROBLEM_TYPE = Operation(
    id="problem",
    method="GET",
    path="/problems/{name}",
    tag="documentation",
    summary="What a type of problem means",
    parameters=[PROBLEM],
    replies={200: Reply("Its description", ProblemTypeBody)},
    refusals=[errors.NotFound],
    open=True,
)
