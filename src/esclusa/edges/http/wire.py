"""What the API takes and gives, as JSON: camelCase, times RFC 3339 in UTC with milliseconds and `Z`.

Each struct is encoded once, straight into the answer's body; a back end's data is spliced in as it was stored. The schemas
of the OpenAPI document are made from these structs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from esclusa.connectors.backend import Reason
from esclusa.edges.http.problems import PREFIX, ProblemType
from esclusa.hub.submission import Receipt
from esclusa.kernel.clock import rfc3339
from esclusa.kernel.errors import Fault, Malformed

if TYPE_CHECKING:
    from esclusa.edges.http.health import Loss
    from esclusa.edges.http.reloaded import Reloaded
    from esclusa.hub.snapshot import Answer, Snapshot

Time = Annotated[str, Meta(description="RFC 3339, UTC, milliseconds", extra_json_schema={"format": "date-time"})]
Data = Annotated[Raw, Meta(description="What the back end said, transformed: any JSON")]


class Body(msgspec.Struct, frozen=True, rename="camel"):
    """One JSON object of the API."""


class SubmissionBody(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question."""

    query: Annotated[str, Meta(description="The name of a declared query")]
    subject: Annotated[str, Meta(description="Whom it is about: a NIF or NIE, unless the query takes another")]
    params: Annotated[dict[str, Any], Meta(description="By name, as the query declares them")] = {}
    connectors: Annotated[list[str], Meta(description="A subset to ask, by name; everyone concerned unless given")] | None = (
        None
    )


class ReceiptBody(Body, frozen=True, kw_only=True):
    """The question is durable and will be asked."""

    id: UUID
    query: str
    created_at: Time
    deadline: Time
    expires_at: Time
    status_url: Annotated[str, Meta(description="Where the results are", extra_json_schema={"format": "uri-reference"})]


class AnswerBody(Body, frozen=True, kw_only=True):
    """What one back end said."""

    connector: str
    title: str
    state: Literal["ok", "ko"]
    reason: Annotated[Reason, Meta(description="Why it is KO")] | UnsetType = UNSET
    detail: Annotated[str, Meta(description="What went wrong, or is missing, in words")] | UnsetType = UNSET
    attempts: Annotated[int, Meta(ge=0, description="How often it was called; 0: not at all")]
    elapsed_ms: Annotated[int, Meta(ge=0, description="The call with its retries")] | None
    received_at: Time | None
    data: Data | UnsetType = UNSET


class SnapshotBody(Body, frozen=True, kw_only=True):
    """A request at one moment: every back end concerned is in `answers` or in `pending`."""

    id: UUID
    query: str
    created_at: Time
    deadline: Time
    expires_at: Time
    query_more: Annotated[bool, Meta(description="Provisional: ask again")]
    complete: Annotated[bool, Meta(description="Every back end concerned has answered OK")]
    retry_after_ms: Annotated[int, Meta(ge=0, description="When asking again is worth it; 0 when final")]
    answers: list[AnswerBody]
    pending: list[str]


class ReloadedBody(Body, frozen=True, kw_only=True):
    """What a configuration that was taken anew has changed: tables by their names, such as `connectors.dgt`."""

    configuration: Annotated[str, Meta(description="A short hash of the one in force now")]
    added: list[str]
    changed: list[str]
    removed: list[str]


class LossBody(Body, frozen=True, kw_only=True):
    """A dependency that does not work."""

    part: str
    since: Time
    reason: str


class HealthBody(Body, frozen=True, kw_only=True):
    """How this process is."""

    status: Annotated[
        Literal["live", "ready", "degraded"], Meta(description="`degraded`: ready, but something that it needs is lost")
    ]
    lost: Annotated[list[LossBody], Meta(description="What is lost, where the administrator asks")] | UnsetType = UNSET


class ProblemTypeBody(Body, frozen=True, kw_only=True):
    """A type of problem."""

    type: Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]
    status: int
    title: str
    description: str


encode = msgspec.json.Encoder().encode
_submission = msgspec.json.Decoder(SubmissionBody)
_FIELD = re.compile(r"Object (?:(?P<missing>missing required)|contains unknown) field `(?P<name>.*)`", re.DOTALL)


def submission_of(body: bytes) -> SubmissionBody:
    """The question in a body; `Malformed` with a pointer to what is wrong."""
    try:
        return _submission.decode(body)
    except msgspec.ValidationError as error:
        raise Malformed(faults=(_fault(str(error)),)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("The body is not JSON, or nested too deep") from error


def _fault(message: str) -> Fault:
    """What msgspec says, as a pointer and a message: ``Expected `str`, got `int` - at `$.connectors[0]` ``."""
    what, _, path = message.rpartition(" - at `$")
    if not what:
        what, path = message, ""
    pointer = path.rstrip("`").removesuffix("[...]").replace(".", "/").replace("[", "/").replace("]", "")
    field = _FIELD.fullmatch(what)
    if field is None:
        return Fault(pointer, what)
    name = field["name"].replace("~", "~0").replace("/", "~1")
    return Fault(f"{pointer}/{name}", "Required" if field["missing"] else "There is no such field")


def receipt_body(receipt: Receipt, status_url: str) -> bytes:
    """The answer to a submission."""
    return encode(
        ReceiptBody(
            id=receipt.id,
            query=receipt.query,
            created_at=rfc3339(receipt.created),
            deadline=rfc3339(receipt.deadline),
            expires_at=rfc3339(receipt.expires),
            status_url=status_url,
        )
    )


def snapshot_body(snapshot: Snapshot) -> bytes:
    """A request at one moment."""
    return encode(
        SnapshotBody(
            id=snapshot.id,
            query=snapshot.query,
            created_at=rfc3339(snapshot.created),
            deadline=rfc3339(snapshot.deadline),
            expires_at=rfc3339(snapshot.expires),
            query_more=snapshot.query_more,
            complete=snapshot.complete,
            retry_after_ms=snapshot.retry_after,
            answers=[_answer(answer) for answer in snapshot.answers],
            pending=snapshot.pending,
        )
    )


def answer_body(answer: Answer) -> bytes:
    """One answer, as it is pushed."""
    return encode(_answer(answer))


def _answer(answer: Answer) -> AnswerBody:
    return AnswerBody(
        connector=answer.connector,
        title=answer.title,
        state="ok" if answer.reason is None else "ko",
        reason=UNSET if answer.reason is None else answer.reason,
        detail=answer.detail or UNSET,
        attempts=answer.attempts,
        elapsed_ms=answer.elapsed,
        received_at=None if answer.received is None else rfc3339(answer.received),
        data=UNSET if answer.data is None else Raw(answer.data),
    )


def reloaded_body(reloaded: Reloaded) -> bytes:
    """What a configuration that was taken anew has changed."""
    return encode(
        ReloadedBody(
            configuration=reloaded.configuration, added=reloaded.added, changed=reloaded.changed, removed=reloaded.removed
        )
    )


def health_body(status: Literal["live", "ready", "degraded"], losses: Iterable[Loss] | None = None) -> bytes:
    """How this process is; `losses` where their reasons may be told."""
    lost = (
        UNSET
        if losses is None
        else [LossBody(part=each.part, since=rfc3339(each.since), reason=each.reason) for each in losses]
    )
    return encode(HealthBody(status=status, lost=lost))


def problem_type_body(problem: ProblemType) -> bytes:
    """What a type of problem means."""
    return encode(
        ProblemTypeBody(type=PREFIX + problem.name, status=problem.status, title=problem.title, description=problem.description)
    )
