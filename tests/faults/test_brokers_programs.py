"""What three brokers do to a whole installation, with a ledger outside as oracle (H5, H7, H14, H20).

Whatever is done to them: every accepted request reaches its final state by its deadline and never changes after, no answer
that was shown is lost, who has answered isn't asked again, what can't be stored is refused in time, memory is bounded, and
all recovers by itself. How long that took is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from support.brokers import leader
from support.callers import Callers, Ledger
from support.country import Country
from support.installation import Engines, Installation, installed
from support.measured import measured, resident
from support.poll import pause, until
from support.program import Program

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

BODIES = [f"body{number}" for number in range(6)]
BELIEVED = 9.0
"""Seconds that a broker that says nothing is believed to live, and more than a member of a group is."""
AWAY = 20.0
BACK = 60.0
"""Seconds in which nothing is refused any more, on a busy machine."""
STEADY = 16
"""Questions in a row that are accepted once all is as before."""
REFUSED_WITHIN = 4.5
"""Seconds until a question is refused: three for the log, and what a busy machine adds."""
GROWTH = 150 << 20
"""Bytes that a process may grow by."""


class Scene:
    """A hub, a collector and two processes of connectors, asked by people all the time."""

    def __init__(self, engines: Engines, installation: Installation, callers: Callers) -> None:
        self.brokers = engines.kafka.nodes
        self.callers = callers
        self._addresses = engines.kafka.addresses
        self._topic = f"{installation.name}.requests.default"

    async def leader(self) -> int:
        """The place of the broker that leads the first partition of requests."""
        return await leader(self._addresses, self._topic, 0) - 1

    async def accepted(self, count: int) -> None:
        """Wait until so many more questions have been accepted."""
        goal = len(self.callers.ledger.accepted) + count

        async def there() -> bool:
            return len(self.callers.ledger.accepted) >= goal

        await until(there, seconds=BACK)

    async def recovered(self, what: str) -> None:
        """Wait until nothing is refused any more."""
        loop = asyncio.get_running_loop()
        begun = since = loop.time()
        async with asyncio.timeout(BACK):
            refused = -1
            while refused != len(self.callers.refusals):
                since, refused = loop.time(), len(self.callers.refusals)
                await self.accepted(STEADY)
        measured(f"{what}: nothing is refused any more after", since - begun)


@asynccontextmanager
async def scene(folder: Path, *, faults: int) -> AsyncIterator[Scene]:
    """Questions are accepted when it is entered; when it is left, all that were are final, and it fits.

    `faults`: how often a call may be made again because its answer had not been acknowledged.
    """
    country = Country(BODIES, slowest=0.4)
    engines = Engines(folder / "engines", brokers=3)
    await engines.start()
    try:
        async with installed(engines, folder, country, query='ttl = "15s"') as installation:
            hub = installation.program("hub", "hub", "purge")
            others = [installation.program(name, "connectors") for name in ("one", "two")]
            programs = [hub, installation.program("collector", "collector"), *others]
            await installation.start(*programs)
            ledger = Ledger(country)
            callers = Callers(hub, ledger)
            play = Scene(engines, installation, callers)
            await play.accepted(STEADY)
            before = [memory(program) for program in programs]
            yield play
            await play.accepted(STEADY)
            await callers.end(seconds=BACK)
            check(callers, faults)
            grown = [memory(program) - size for program, size in zip(programs, before, strict=True)]
            assert max(grown) < GROWTH
    finally:
        await engines.stop()


def memory(program: Program) -> int:
    """Bytes that it has."""
    assert program.process is not None
    return resident(program.process.pid)


def check(callers: Callers, faults: int) -> None:
    """What was promised was kept; `Ledger` has seen to it that nothing changed, and that all was final at its deadline."""
    ledger = callers.ledger
    assert ledger.final.keys() >= set(ledger.accepted.values())
    again = 0
    for request in ledger.accepted.values():
        for name in BODIES:
            asked = ledger.country.calls[request, name]
            assert asked <= 1 + faults
            assert asked == ledger.calls[request, name], "called again after its answer was there"
            again += max(asked - 1, 0)
    refusals = [answer for _, answer in callers.refusals]
    slowest = max((answer.elapsed.total_seconds() for answer in refusals), default=0.0)
    measured(f"{len(ledger.accepted)} accepted, {len(refusals)} refused, {again} calls again; slowest refusal", slowest)
    assert slowest < REFUSED_WITHIN
    assert all(answer.status_code == httpx.codes.SERVICE_UNAVAILABLE for answer in refusals)
    last = list(ledger.accepted.values())[-10:]
    assert all(ledger.final[request]["complete"] for request in last), "it has not recovered"


async def test_the_leader_is_killed_and_then_all_say_nothing_for_longer_than_they_are_believed_to_live(tmp_path: Path) -> None:
    async with scene(tmp_path, faults=2) as play:
        victim = play.brokers[await play.leader()]
        await victim.kill()
        await play.recovered("the leader was killed")
        await victim.start()
        await victim.ready()
        for broker in play.brokers:
            broker.pause()
        await pause(BELIEVED + 1)
        for broker in play.brokers:
            broker.resume()
        await play.recovered("all were stopped")


@pytest.mark.soak
async def test_all_are_away_for_a_while(tmp_path: Path) -> None:
    async with scene(tmp_path, faults=1) as play:
        for broker in play.brokers:
            await broker.kill()
        await pause(AWAY)
        await asyncio.gather(*(broker.start() for broker in play.brokers))
        await asyncio.gather(*(broker.ready() for broker in play.brokers))
        await play.recovered("all were away")


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_the_leader_is_killed_or_stopped_again_and_again(tmp_path: Path) -> None:
    turns = 5
    async with scene(tmp_path, faults=turns) as play:
        for turn in range(turns):
            victim = play.brokers[await play.leader()]
            if turn % 2:
                victim.pause()
                await play.recovered("the leader was stopped")
                victim.resume()
            else:
                await victim.kill()
                await play.recovered("the leader was killed")
                await victim.start()
                await victim.ready()
            await play.recovered("it is back")
