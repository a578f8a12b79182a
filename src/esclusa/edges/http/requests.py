"""Ask, look, wait, follow, cancel: `/api/v1/requests`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope

from esclusa.edges.http import operations
from esclusa.edges.http.callers import Callers
from esclusa.edges.http.front import ADMIT, Admit
from esclusa.edges.http.headers import data_of, header, idempotency_key_of, tags_of, wait_of
from esclusa.edges.http.held import EventStream, event, while_read
from esclusa.edges.http.openapi import JSON, Route
from esclusa.edges.http.wire import answer_body, receipt_body, snapshot_body, submission_of
from esclusa.hub.cursor import parse_event_id
from esclusa.hub.hub import Hub
from esclusa.hub.snapshot import Answer, Snapshot
from esclusa.hub.submission import Submission
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Malformed, NotFound, Unavailable, UnsupportedType

READS = 4
"""Results with their data that are read and composed at a time: until one is admitted, nothing else counts it."""
LINE = 5.0
"""Seconds that a reader waits for its turn."""


class Requests:
    """The requests of the hub, for whoever the callers are."""

    def __init__(self, hub: Hub, callers: Callers, clock: Clock) -> None:
        self._hub = hub
        self._callers = callers
        self._clock = clock
        self._turns = asyncio.Semaphore(READS)

    def routes(self) -> list[Route]:
        """What is served here."""
        return [
            Route(operations.SUBMIT, self.submit),
            Route(operations.READ, self.read),
            Route(operations.FOLLOW, self.follow),
            Route(operations.CANCEL, self.cancel),
        ]

    async def submit(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """Ask (H1)."""
        scope = request.scope
        caller = self._callers.of(scope)
        caller.must("ask-for-anyone")
        key = idempotency_key_of(scope)
        _must_be_json(scope)
        submission = submission_of(await _body(request.receive))
        receipt = await self._hub.submit(
            Submission(
                caller=caller.name,
                query=submission.query,
                subject=submission.subject,
                params=submission.params,
                connectors=submission.connectors,
                idempotency_key=key,
            )
        )
        url = f"/api/v1/requests/{receipt.id}"
        headers = {"location": url, "retry-after": str(max(1, math.ceil(receipt.retry_after / 1000)))}
        return ASGIResponse(body=receipt_body(receipt, url), status_code=202, headers=headers)

    async def read(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """What is known now, or once there is more (H2, H8)."""
        scope = request.scope
        caller, id = self._named(scope)
        data, seconds, tags = data_of(scope), wait_of(scope), tags_of(scope)
        heads = None
        headers = {}
        if seconds:
            headers["preference-applied"] = f"wait={seconds}"
            heads = await while_read(self._wait(id, caller, tags, seconds), request.receive)
            if heads is None:
                return ASGIResponse(status_code=204)  # to nobody
        elif tags is not None or not data:
            heads = await self._hub.results(id, caller, data=False)
        if heads is not None and _has(tags, heads):
            return ASGIResponse(status_code=304, headers=headers | {"etag": f'"{heads.tag}"'})
        admit = scope["state"][ADMIT]
        if heads is None or data:
            return await self._with_data(id, caller, headers, admit)
        return _shown(heads, headers, admit)

    async def follow(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """Each answer as it comes, from where the reader was cut off (H8)."""
        scope = request.scope
        caller, id = self._named(scope)
        said = header(scope, b"last-event-id")
        after = None if said is None else said.decode("latin-1")
        snapshot = await self._hub.results(id, caller, data=False)
        if after is not None and not snapshot.query_more:
            _, over = parse_event_id(after, [answer.connector for answer in snapshot.answers])
            if over:
                return ASGIResponse(status_code=204)
        return EventStream(_events(self._hub.follow(id, caller, after=after), scope["state"][ADMIT]), self._clock)

    async def cancel(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """Stop and forget (H8)."""
        caller, id = self._named(request.scope)
        await self._hub.cancel(id, caller)
        return ASGIResponse(status_code=204)

    async def _wait(self, id: UUID, caller: str, tags: Collection[str] | None, seconds: int) -> Snapshot:
        """The heads of what there is, once that is more than the reader has, or will not be more."""
        tag = None
        if tags is not None:
            heads = await self._hub.results(id, caller, data=False)
            if not _has(tags, heads) or not heads.query_more:
                return heads
            tag = heads.tag
        return await self._hub.wait(id, caller, seconds=seconds, tag=tag, data=False)

    async def _with_data(self, id: UUID, caller: str, headers: dict[str, str], admit: Admit) -> ASGIResponse:
        """The whole result, once it is this reader's turn. `Unavailable` when that takes long.

        It is admitted within the turn and handed over before the loop goes on, so that the next one is counted on top.
        """
        try:
            async with self._clock.timeout_at(self._clock.now() + LINE):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable("Too many results are being read", retry_after=1) from None
        try:
            return _shown(await self._hub.results(id, caller, data=True), headers, admit)
        finally:
            self._turns.release()

    def _named(self, scope: Scope) -> tuple[str, UUID]:
        """The caller, and the request that the path names; what is no id is a request that nobody knows (H31)."""
        caller = self._callers.of(scope)
        text = scope["path_params"]["id"]
        try:
            id = UUID(text)
        except ValueError:
            raise NotFound from None
        if str(id) != text.lower():
            raise NotFound
        return caller.name, id


def _shown(snapshot: Snapshot, headers: dict[str, str], admit: Admit) -> ASGIResponse:
    body = snapshot_body(snapshot)
    admit(len(body))
    return ASGIResponse(body=body, headers=headers | {"etag": f'"{snapshot.tag}"'}, media_type=JSON)


def _has(tags: Collection[str] | None, snapshot: Snapshot) -> bool:
    return tags is not None and (snapshot.tag in tags or "*" in tags)


async def _events(follow: AsyncIterator[tuple[str, Answer | Snapshot]], admit: Admit) -> AsyncGenerator[bytes, None]:
    """One that can't be admitted ends the stream: the reader comes back for it."""
    try:
        async for each in follow:
            piece = _event(*each)
            del each  # while the piece is sent, the data are held once
            admit(len(piece))
            yield piece
    finally:
        if isinstance(follow, AsyncGenerator):
            await follow.aclose()


def _event(id: str, said: Answer | Snapshot) -> bytes:
    if isinstance(said, Answer):
        return event("answer", id, answer_body(said))
    return event("done", id, snapshot_body(said))


def _must_be_json(scope: Scope) -> None:
    kind, _, rest = (header(scope, b"content-type") or b"").partition(b";")
    if kind.strip().lower() != JSON.encode():
        raise UnsupportedType("Content-Type: application/json")
    name, _, charset = rest.strip().lower().partition(b"=")
    if name == b"charset" and charset.strip(b'"') not in {b"utf-8", b"utf8"}:
        raise UnsupportedType("JSON is in UTF-8")
    coding = header(scope, b"content-encoding")
    if coding is not None and coding.lower() != b"identity":
        raise UnsupportedType("A body in no Content-Encoding")


async def _body(receive: Receive) -> bytes:
    """The whole body, within the limits of `front`."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Malformed("The connection was closed within the body")
        pieces.append(message["body"])
        if not message["more_body"]:
            return b"".join(pieces)
