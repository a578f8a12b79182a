"""What is cancelled is gone (H8)."""

from __future__ import annotations

import pytest

from esclusa.kernel.errors import (
    NotFound,
)
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
