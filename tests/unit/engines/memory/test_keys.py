"""Keys in memory: what the exam of the port does not ask."""

from __future__ import annotations

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


async def test_another_secret_of_the_same_id_is_a_mistake() -> None:
    clock = Clock(epoch=virtual.EPOCH)
    keys = MemoryEngine(clock).keys
    await keys.make(bytes(16), b"a" * 32, clock.millis() + 1000)
    with pytest.raises(ValueError, match="never changes"):
        keys.make(bytes(16), b"b" * 32, clock.millis() + 1000)
    assert await keys.get(bytes(16)) == b"a" * 32
