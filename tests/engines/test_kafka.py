"""The engine `kafka`, by the exams of the ports, on one real broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esclusa.kernel.errors import StorageError
from esclusa.testing.exams import UpkeepExam
from esclusa.testing.exams.deployment import raises, swept
from esclusa.testing.exams.members import fill
from esclusa.testing.exams.upkeep import SHORT
from support.brokers import Brokers
from support.prefixes import QUICK, BriskLogExam, OnKafka

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """One for all tests of this file."""
    with Brokers(tmp_path_factory.mktemp("kafka"), 1, **QUICK) as made:
        yield made


class TestLog(BriskLogExam):
    """The log."""


class TestUpkeep(OnKafka, UpkeepExam):
    """Administration, of an engine that has a log alone."""

    async def test_check_passes_as_often_as_it_is_asked(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            for _ in range(3):
                await process.upkeep.check()
            await process.log.close()
            await raises(StorageError, process.upkeep.check())

    async def test_a_sweep_says_what_is_left_until_nothing_is(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            before = await deployment.process(self.clock(-2 * SHORT.keep))
            await before.upkeep.setup([SHORT])
            await fill(before.log, SHORT, 3000)
            process = await deployment.process(clock)
            await process.upkeep.setup([SHORT])
            assert await swept(process.upkeep, clock.millis()) == 3000
            assert (await process.upkeep.sweep(clock.millis())).deleted == 0
