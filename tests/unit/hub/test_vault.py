"""What is personal is encrypted before any port sees it, with keys that die on time (H6)."""

from __future__ import annotations

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.hub.vault import BUCKET_MS, EVERY, Vault
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Unreadable
from esclusa.kernel.ids import Ids
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time


def vaults(count: int = 1) -> tuple[list[Vault], MemoryEngine, Clock]:
    clock = Clock(epoch=EPOCH)
    engine = MemoryEngine(clock)
    return [Vault(engine.keys, clock, Ids(clock)) for _ in range(count)], engine, clock


async def test_what_one_process_seals_another_opens() -> None:
    (one, two), _, clock = vaults(2)
    sealer = await one.sealer(clock.millis() + 5000)
    sealed = sealer.seal(b"personal", b"here")
    assert b"personal" not in sealed
    assert await two.open(sealed, b"here") == b"personal"


async def test_the_key_is_stored_before_its_first_use() -> None:
    (vault,), engine, clock = vaults()
    sealer = await vault.sealer(clock.millis() + 5000)
    assert await engine.keys.get(sealer.seal(b"", b"")[:16]) is not None


async def test_equal_values_are_sealed_differently_and_bound_to_their_place() -> None:
    (vault,), _, clock = vaults()
    sealer = await vault.sealer(clock.millis() + 5000)
    one, two = sealer.seal(b"x", b"a"), sealer.seal(b"x", b"a")
    assert one != two
    for wrong in (one[:-1] + bytes([one[-1] ^ 1]), one[:20], b""):
        with pytest.raises(Unreadable):
            await vault.open(wrong, b"a")
    with pytest.raises(Unreadable):
        await vault.open(one, b"b")


async def test_requests_that_expire_together_share_a_key_and_others_do_not() -> None:
    (vault,), _, clock = vaults()
    start = (clock.millis() // BUCKET_MS + 1) * BUCKET_MS
    assert await vault.sealer(start) is await vault.sealer(start + BUCKET_MS - 1)
    assert await vault.sealer(start) is not await vault.sealer(start + BUCKET_MS)


async def test_after_its_time_nobody_opens_it() -> None:
    """Not who made the key, and not who has opened something with it and keeps it in memory for a while."""
    (vault, other), engine, clock = vaults(2)
    expires = clock.millis() + 5000
    sealed = (await vault.sealer(expires)).seal(b"personal", b"here")
    for each in (vault, other):
        await each.start()
    await clock.sleep_until(expires / 1000)
    assert await other.open(sealed, b"here") == b"personal"
    await clock.sleep_until((expires + BUCKET_MS) / 1000)
    assert await engine.keys.destroy(clock.millis()) == 1
    await clock.sleep(BUCKET_MS / 1000 + EVERY)
    for each in (vault, other):
        with pytest.raises(Unreadable):
            await each.open(sealed, b"here")
        await each.stop()
