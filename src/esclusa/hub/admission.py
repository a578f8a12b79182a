"""How many requests are open, in this process: of one subject, and in all.

A request is open from its acceptance until everyone concerned has answered, or its deadline. Closing one is told from
wake-ups, so nothing is read for it but the rows of the request whose last answer seems to be there.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from hashlib import blake2b
from math import inf
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from esclusa.hub.final import read_view
from esclusa.kernel.errors import NotFound, StorageError, TooManyOpen, Unavailable, Unreadable
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.hub.settings import HubSettings
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.ids import Ids
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.records import Records

GRAIN = 0.1
"""Seconds between two looks at the deadlines, at the least."""


class OpenRequest(msgspec.Struct, gc=False):
    """A request that this process has accepted and that isn't final yet."""

    subject: bytes
    created: int
    deadline: int
    stored: bool
    """Its row is there, unless it has been cancelled since."""
    unanswered: int
    """An estimate: repeated wake-ups make it too low, and then the rows are looked at."""


class Admission:
    """The part that counts open requests and says, once each, when they are final."""

    def __init__(self, records: Records, settings: HubSettings, clock: Clock, ids: Ids, instrument: Instrument) -> None:
        self.background = Background("admission")
        self._settings = settings
        self._clock = clock
        self._instrument = instrument
        self._records = records
        self._pepper = ids.secret(16)
        self._open: dict[bytes, OpenRequest] = {}
        self._subjects: dict[bytes, int] = {}
        self._deadlines: list[tuple[int, bytes]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next = inf
        """The deadline that the timer waits for."""
        self._seconds = instrument.histogram(
            "esclusa_hub_request_seconds",
            "From acceptance to the last answer, or to the deadline",
            "complete",
            bounds=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
        )
        instrument.gauge("esclusa_hub_open_requests", "Requests accepted here and not final", (), self._count)

    async def start(self) -> None:
        """Nothing runs until a request is open."""

    async def drain(self) -> None:
        """Nothing to finish: requests outlive the process that accepted them."""

    async def stop(self) -> None:
        """Forget what is open here."""
        await self.background.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._open.clear()

    async def admit(self, id: bytes, subject: str, *, created: int, deadline: int, connectors: int) -> bool:
        """Count a request from now on; False when it is counted already. `TooManyOpen` or `Unavailable` when there is no room.

        Wake-ups may have been lost, so before a subject is refused its open requests are looked at.
        """
        name = blake2b(subject.encode(), key=self._pepper, digest_size=16).digest()
        if id in self._open:
            return False
        if len(self._open) >= self._settings.max_open:
            raise Unavailable("Too many requests are open", retry_after=1)
        if self._full(name):
            for open_id in [open_id for open_id, request in self._open.items() if request.subject == name]:
                await self._look(open_id)
            if id in self._open:
                return False
        if self._full(name):
            raise TooManyOpen(
                f"At most {self._settings.max_open_per_subject} requests of one subject are open at a time", retry_after=2
            )
        self._open[id] = OpenRequest(name, created, deadline, stored=False, unanswered=connectors)
        self._subjects[name] = self._subjects.get(name, 0) + 1
        heapq.heappush(self._deadlines, (deadline, id))
        self._set_timer()
        return True

    def _full(self, subject: bytes) -> bool:
        return self._subjects.get(subject, 0) >= self._settings.max_open_per_subject

    def stored(self, id: bytes) -> None:
        """The row of a request that was admitted is there."""
        request = self._open.get(id)
        if request is not None:
            request.stored = True

    def rows_written(self, id: bytes, rows: int) -> None:
        """`rows` more answers of a request are there."""
        request = self._open.get(id)
        if request is not None:
            request.unanswered -= rows
            if request.unanswered <= 0:
                self.background.spawn("final", self._look(id))

    def closed(self, id: bytes, *, complete: bool) -> None:
        """A request is open no more: final, cancelled, or refused after all."""
        request = self._open.pop(id, None)
        if request is None:
            return
        left = self._subjects[request.subject] - 1
        if left:
            self._subjects[request.subject] = left
        else:
            del self._subjects[request.subject]
        seconds = max(0, self._clock.millis() - request.created) / 1000
        self._seconds.observe(seconds, "true" if complete else "false")

    async def _look(self, id: bytes) -> None:
        try:
            everyone = (await read_view(self._records, id, bodies=False)).everyone
        except NotFound:
            request = self._open.get(id)
            everyone = request is not None and request.stored  # cancelled: there is nobody to wait for
        except (StorageError, Unreadable):
            return  # its deadline closes it
        request = self._open.get(id)
        if everyone and request is not None:
            self._final(id, request, everyone=True)

    def _final(self, id: bytes, request: OpenRequest, *, everyone: bool) -> None:
        self._instrument.info(
            "request final", request=str(UUID(bytes=id)), everyone=everyone, elapsedMs=self._clock.millis() - request.created
        )
        self.closed(id, complete=everyone)

    def _set_timer(self) -> None:
        if self._deadlines and self._deadlines[0][0] < self._next:
            if self._timer is not None:
                self._timer.cancel()
            self._next = self._deadlines[0][0]
            self._timer = self._clock.call_at(max(self._next / 1000, self._clock.now() + GRAIN), self._expire)

    def _expire(self) -> None:
        self._timer, self._next = None, inf
        now = self._clock.millis()
        while self._deadlines and (self._deadlines[0][0] <= now or self._deadlines[0][1] not in self._open):
            _, id = heapq.heappop(self._deadlines)
            request = self._open.get(id)
            if request is not None:
                self._final(id, request, everyone=False)
        self._set_timer()

    def _count(self) -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), float(len(self._open))
