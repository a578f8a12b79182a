"""What is cancelled is gone (H8)."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.hub.topics import CANCELS
from esclusa.kernel.errors import NotFound, StorageUnavailable
from esclusa.kernel.instrument import Level
from esclusa.ports.log import Topic
from esclusa.testing.backends import waits
from esclusa.testing.virtual import settle
from support.hub import ME, question, running

pytestmark = pytest.mark.virtual_time


async def test_cancelled_stays_gone_whatever_is_written_later() -> None:
    keyed = question(idempotency_key="k1")
    async with running() as it:
        it.backends["a"].step = waits
        receipt = await it.hub.submit(keyed)
        await settle()
        await it.hub.cancel(receipt.id, ME)
        await it.runtime.clock.sleep(3)
        assert await it.hub.submit(keyed) == receipt
        for act in (it.hub.results(receipt.id, ME), it.hub.cancel(receipt.id, ME)):
            with pytest.raises(NotFound):
                await act
        assert await it.engine.records.read(receipt.id.bytes) == []


async def test_that_the_pools_could_not_be_told_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as it:
        receipt = await it.hub.submit(question())
        append = it.log.append

        def refused(topic: Topic, key: bytes, value: bytes) -> asyncio.Future[int]:
            if topic != CANCELS:
                return append(topic, key, value)
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageUnavailable("told to refuse"))
            return future

        monkeypatch.setattr(it.log, "append", refused)
        await it.hub.cancel(receipt.id, ME)
        await settle()
        said = [facts for level, event, facts in it.logged if level is Level.WARN and "could not be told" in event]
        assert said == [{"error": "told to refuse"}]
        with pytest.raises(NotFound):
            await it.hub.results(receipt.id, ME)
