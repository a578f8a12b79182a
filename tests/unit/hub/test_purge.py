"""What has expired is destroyed, that it is gone is looked at, and being late is said (H6)."""

from __future__ import annotations

import pytest

from esclusa.kernel.errors import StorageUnavailable
from support.hub import question, running

pytestmark = pytest.mark.virtual_time


async def test_keys_are_destroyed_and_rows_and_messages_deleted_within_fifteen_seconds_of_expiry() -> None:
    async with running() as it:
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep_until(receipt.expires / 1000 - 1)
        assert it.engine.world.secrets
        assert await it.root.records.read(receipt.id.bytes)
        await it.runtime.clock.sleep_until(receipt.expires / 1000 + 15)
        assert not it.engine.world.secrets
        assert not it.engine.world.expired(receipt.expires + 1)
        assert it.runtime.instrument.counters["esclusa_hub_keys_destroyed_total"].values[()] == 1


async def test_a_purge_that_fails_goes_on_trying_and_warns_when_late() -> None:
    async with running() as it:
        destroy, broken = it.engine.keys.destroy, True

        async def flaky(before: int) -> int:
            if broken:
                raise StorageUnavailable("told to fail")
            return await destroy(before)

        it.engine.keys.destroy = flaky
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(20)
        assert any(event == "purge is late: expired data is still stored" for _, event, _ in it.logged)
        broken = False
        await it.runtime.clock.sleep_until(receipt.expires / 1000 + 15)
        assert not it.engine.world.secrets
