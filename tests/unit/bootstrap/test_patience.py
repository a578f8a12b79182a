"""A start that waits for what the process stands on, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pytest

from esclusa.bootstrap.patience import AGAIN, SELDOM, Patience
from esclusa.hub.backoff import MOST
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError, StorageRefused, StorageTooNew, StorageUnavailable
from esclusa.testing.virtual import settle
from support.sink import Sink

pytestmark = pytest.mark.virtual_time

AWAY = StorageUnavailable("nobody is there")


class Start:
    """A part whose tries to start end in `errors`, one after the other, and then in success."""

    def __init__(self, errors: Iterable[Exception]) -> None:
        self.tried: list[float] = []
        self._errors = iter(errors)

    async def start(self) -> None:
        self.tried.append(asyncio.get_running_loop().time())
        if (error := next(self._errors, None)) is not None:
            raise error

    async def drain(self) -> None: ...

    async def stop(self) -> None: ...


class Waiting:
    """Patience, and what it has told."""

    def __init__(self) -> None:
        self.said = Sink()
        self.told: list[str] = []
        self.clock = Clock()
        self.patience = Patience(self.told.append, self.clock, self.said.instrument())

    async def patient(self, seconds: float) -> None:
        """Nobody is there for so long."""
        starting = asyncio.ensure_future(self.patience.start(Start([AWAY] * 100_000)))
        await self.clock.sleep(seconds)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


async def test_who_can_start_is_started_once_and_nothing_is_said() -> None:
    it, part = Waiting(), Start([])
    await it.patience.start(part)
    assert len(part.tried) == 1
    assert (it.told, it.said) == ([], [])


async def test_what_is_away_is_waited_for_however_long_it_takes() -> None:
    it, part = Waiting(), Start([AWAY] * 5000)
    await it.patience.start(part)
    assert len(part.tried) == 5001
    pauses = [round(after - before, 6) for before, after in pairwise(part.tried)]
    assert pauses == sorted(pauses), "the pauses grow"
    assert pauses[0] < 1, "who is back soon is not kept waiting"
    assert pauses[-1] == pytest.approx(MOST), "and neither is who is back late"


@pytest.mark.parametrize(
    "error", [StorageRefused("the login is refused"), StorageTooNew("of version 9"), StorageError("may not be made")], ids=repr
)
async def test_what_waiting_does_not_mend_ends_the_start(error: StorageError) -> None:
    part = Start([AWAY, error])
    with pytest.raises(type(error)) as raised:
        await Waiting().patience.start(part)
    assert raised.value is error


async def test_a_reason_is_logged_once_and_then_at_growing_intervals() -> None:
    it = Waiting()
    await it.patient(24 * 3600)
    said = [facts["waitedMs"] / 1000 for facts in it.said.facts("waiting to start")]
    pauses = [after - before for before, after in pairwise(said)]
    assert pauses[0] == pytest.approx(AGAIN, abs=MOST)
    assert pauses[1] == pytest.approx(AGAIN * 2, abs=MOST)
    assert pauses[-1] == pytest.approx(SELDOM, abs=MOST)
    assert len(said) < 160, "a day's worth"
    assert {*it.told} == {"nobody is there"}


async def test_another_reason_is_logged_at_once_and_two_in_turns_are_no_flood() -> None:
    it = Waiting()
    part = Start([AWAY, StorageUnavailable("too few are there")] * 4)
    await it.patience.start(part)
    assert [facts["reason"] for facts in it.said.facts("waiting to start")][:2] == ["nobody is there", "too few are there"]
    assert len(it.said) < 4
    assert len(it.told) == 8, "whoever asks is told the present one"


async def test_who_is_cut_off_waits_no_longer() -> None:
    it, part = Waiting(), Start([AWAY] * 1000)
    starting = asyncio.ensure_future(it.patience.start(part))
    await it.clock.sleep(60)
    starting.cancel()
    await settle()
    assert starting.cancelled()
