"""Stands in for the hub: its interface over a dictionary, with answers that come when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from uuid import UUID

import msgspec

from esclusa.connectors.backend import Reason
from esclusa.hub.cursor import event_id, parse_event_id
from esclusa.hub.lag import GroupLag, PoolLag
from esclusa.hub.pack import Pack, Recorded
from esclusa.hub.presence import ConnectorHealth, ConnectorState, ProcessReport
from esclusa.hub.settings import ParamSettings, QuerySettings
from esclusa.hub.snapshot import Answer, Snapshot, compose
from esclusa.hub.stored import AnswerHead, Times
from esclusa.hub.submission import Receipt, Submission
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import NotFound, UnknownQuery
from esclusa.kernel.ids import Ids

CONNECTORS = ["dgt", "aeat", "sepe"]
TITLES = {"dgt": "Tráfico", "aeat": "Hacienda", "sepe": "Empleo"}


class FakeRequest(msgspec.Struct):
    """A request as the fake hub holds it."""

    caller: str
    times: Times
    recorded: dict[str, Recorded] = {}
    data: dict[str, bytes] = {}


class FakeHub:
    """The hub's interface over a dictionary. Answers come when the test says so."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ids = Ids(clock)
        self.submitted: list[Submission] = []
        self.raises: Exception | None = None
        """What every operation raises, once set."""
        self.requests: dict[UUID, FakeRequest] = {}
        self.waiting = asyncio.Event()
        """Somebody has begun to wait."""
        self.left = asyncio.Event()
        """Somebody has stopped waiting."""
        self._changed = asyncio.Event()
        self._draining = False

    def answer(self, id: UUID, connector: str, data: bytes | None = b"{}", reason: Reason | None = None) -> None:
        """The answer of one back end is here."""
        request = self.requests[id]
        head = AnswerHead(connector, reason, "" if reason is None else "It went wrong", 1, 120, 0)
        request.recorded[connector] = Recorded(head, self.clock.millis(), Pack("", b"", 0, b""), 0)
        if data is not None and reason is None:
            request.data[connector] = data
        self._wake()

    def drain(self) -> None:
        """Whoever waits is let go."""
        self._draining = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _check(self) -> None:
        if self.raises is not None:
            raise self.raises

    def _of(self, id: UUID, caller: str) -> FakeRequest:
        self._check()
        request = self.requests.get(id)
        if request is None or request.caller != caller:
            raise NotFound
        return request

    async def submit(self, submission: Submission) -> Receipt:
        self._check()
        if submission.query not in self.queries():
            raise UnknownQuery(f"There is no query {submission.query!r}")
        self.submitted.append(submission)
        id, now = self.ids.uuid(), self.clock.millis()
        times = Times(now, now + 59_000, now + 60_000, now + 600_000)
        self.requests[id] = FakeRequest(submission.caller, times)
        return Receipt(
            id=id, query=submission.query, created=now, deadline=times.deadline, expires=times.expires, retry_after=1500
        )

    async def results(self, id: UUID, caller: str, *, data: bool = True) -> Snapshot:
        request = self._of(id, caller)
        final = len(request.recorded) == len(CONNECTORS)
        return compose(
            id,
            "expedientes",
            request.times,
            CONNECTORS,
            request.recorded,
            final=final,
            titles=TITLES,
            retry_after=2000,
            data=request.data if data else {},
        )

    async def wait(self, id: UUID, caller: str, *, seconds: float, tag: str | None = None, data: bool = True) -> Snapshot:
        before = await self.results(id, caller, data=False)
        tag = tag or before.tag
        until = self.clock.now() + seconds
        try:
            async with self.clock.timeout_at(until):
                while (now := await self.results(id, caller, data=data)).tag == tag and now.query_more and not self._draining:
                    await self._wait()
        except TimeoutError:
            pass
        return await self.results(id, caller, data=data)

    async def _wait(self) -> None:
        self.waiting.set()
        try:
            await self._changed.wait()
        finally:
            self.left.set()

    async def follow(
        self, id: UUID, caller: str, *, after: str | None = None
    ) -> AsyncGenerator[tuple[str, Answer | Snapshot], None]:
        sent = parse_event_id(after, CONNECTORS)[0] if after is not None else set()
        while True:
            snapshot = await self.results(id, caller)
            for answer in snapshot.answers:
                if answer.connector not in sent:
                    sent.add(answer.connector)
                    yield event_id(CONNECTORS, sent, final=False), answer
            if not snapshot.query_more:
                yield event_id(CONNECTORS, sent, final=True), await self.results(id, caller, data=False)
                return
            if self._draining:
                return
            await self._wait()

    async def cancel(self, id: UUID, caller: str) -> None:
        self._of(id, caller)
        del self.requests[id]
        self._wake()

    def queries(self) -> Mapping[str, QuerySettings]:
        period = ParamSettings(type="dateRange", title="Periodo", max=366)
        return {"expedientes": QuerySettings(title="Mis expedientes", ttl=Duration(60), params={"period": period})}

    async def connectors(self) -> list[ConnectorHealth]:
        self._check()
        return [ConnectorHealth(name, TITLES[name], "default", ["state"], "closed", 0, 1, 1) for name in CONNECTORS]

    async def processes(self) -> list[ProcessReport]:
        self._check()
        states = [ConnectorState(name, "half_open", 2, 1) for name in CONNECTORS]
        now = self.clock.millis()
        return [ProcessReport("p1", "0.1.0", now - 1000, now, ["hub"], ["default"], "abcdef", states)]

    async def pools(self) -> list[PoolLag]:
        self._check()
        return [PoolLag("default", "pool", 8, [GroupLag("pool.default", None, 3)], 0)]
