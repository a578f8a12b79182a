"""Presence: each process says now and then that it lives, and how its connectors are.

That is service discovery, health and `esclusa status`, with no further part to run (H40): rows that expire by themselves
when their process says nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from esclusa.connectors.breaker import BreakerState
from esclusa.hub.stored import Stored, decode, encode
from esclusa.kernel.errors import StorageError, Unavailable, Unreadable
from esclusa.kernel.lifecycle import Background
from esclusa.ports.records import Row

if TYPE_CHECKING:
    from esclusa.connectors.connector import Connector
    from esclusa.hub.inventory import Inventory
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.records import Records

KEY = b"=====presence==="
"""The records key under which all processes report."""
EVERY = 5.0
"""Seconds between two reports."""
LIVES_MS = 15_000
"""Milliseconds that a report is believed."""
GONE_MS = 10
"""Milliseconds that the last report of a process is believed that ends in order: none, as good as."""

_STATES: tuple[BreakerState, ...] = ("closed", "half_open", "open")
"""From the best to the worst."""


class ConnectorState(Stored, frozen=True):
    """What one process says of one of its connectors."""

    name: str
    breaker: BreakerState
    waiting: int
    """Questions in its line."""
    running: int
    """Calls being made."""


class ProcessReport(Stored, frozen=True):
    """What one process says of itself. Times are milliseconds since the epoch."""

    id: str
    version: str
    started: int
    seen: int
    roles: list[str]
    pools: list[str]
    configuration: str
    """A short hash: processes of one pool should have the same."""
    connectors: list[ConnectorState]


class ConnectorHealth(msgspec.Struct, frozen=True):
    """A connector of the inventory, with what all processes that serve it say."""

    name: str
    title: str
    pool: str
    tags: Sequence[str]
    breaker: BreakerState
    """The worst of all processes."""
    waiting: int
    running: int
    processes: int
    """How many serve it; 0: nobody has said so lately."""


class Presence:
    """The part that reports for this process and reads what all report."""

    def __init__(
        self,
        me: ProcessReport,
        inventory: Inventory,
        connectors: Mapping[str, Connector],
        records: Records,
        clock: Clock,
        instrument: Instrument,
    ) -> None:
        """`me`: this process's report as of its start; what changes is filled in each time."""
        self.background = Background("presence")
        self._me = me
        self._inventory = inventory
        self._connectors = connectors
        self._records = records
        self._clock = clock
        self._instrument = instrument

    def change(self, configuration: str) -> None:
        """This process runs another configuration from now on: its hash."""
        self._me = msgspec.structs.replace(self._me, configuration=configuration)

    async def start(self) -> None:
        """Report once, then every `EVERY` seconds."""
        await self._say()
        self.background.spawn("report", self._repeat())

    async def drain(self) -> None:
        """Take the report away: who ends in order is not seen as alive."""
        await self.background.cancel()
        try:
            await self._say(last=True)
        except StorageError as error:
            self._instrument.warn("presence not taken back", error=str(error))

    async def stop(self) -> None:
        """Nothing is left to let go of."""
        await self.background.cancel()

    async def processes(self) -> list[ProcessReport]:
        """Every process that reported lately, the oldest first. Raises `Unavailable`."""
        try:
            rows = await self._records.read(KEY)
        except StorageError as error:
            raise Unavailable("Reports can't be read right now", retry_after=1) from error
        reports = []
        for row in rows:
            try:
                report = decode(ProcessReport, row.body)
            except Unreadable as error:  # of a version that says it otherwise
                self._instrument.warn("a report can't be read", process=row.name, error=str(error))
            else:
                reports.append(self._now() if report.id == self._me.id else report)
        return sorted(reports, key=lambda report: (report.started, report.id))

    async def connectors(self) -> list[ConnectorHealth]:
        """Every connector of the inventory, in its order. Raises `Unavailable`."""
        said: dict[str, list[ConnectorState]] = {}
        for process in await self.processes():
            for state in process.connectors:
                said.setdefault(state.name, []).append(state)
        return [
            ConnectorHealth(
                name,
                self._inventory.titles[name],
                settings.pool,
                settings.tags,
                _STATES[max((_STATES.index(state.breaker) for state in said.get(name, ())), default=0)],
                sum(state.waiting for state in said.get(name, ())),
                sum(state.running for state in said.get(name, ())),
                len(said.get(name, ())),
            )
            for name, settings in self._inventory.connectors.items()
        ]

    async def _repeat(self) -> None:
        while True:
            await self._clock.sleep(EVERY)
            try:
                await self._say()
            except StorageError as error:
                self._instrument.warn("presence not reported", error=str(error))

    async def _say(self, *, last: bool = False) -> None:
        report = self._now()
        expires = report.seen + (GONE_MS if last else LIVES_MS)
        # Of two rows the lower rank wins, so a later report has a lower one, and the last the lowest of its moment.
        await self._records.put(KEY, [Row(self._me.id, b"", encode(report), expires, -report.seen - last)])

    def _now(self) -> ProcessReport:
        states = [
            ConnectorState(name, connector.breaker_state, connector.waiting, connector.running)
            for name, connector in self._connectors.items()
        ]
        return msgspec.structs.replace(self._me, seen=self._clock.millis(), connectors=states)
