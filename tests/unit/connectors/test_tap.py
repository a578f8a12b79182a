"""What is seen of a call is kept in order, with its time."""

from __future__ import annotations

from esclusa.connectors.tap import Step, Tap
from unit.connectors.transport.hand_clock import EPOCH, HandClock


async def test_what_is_seen_is_kept_in_order_with_its_time() -> None:
    clock = HandClock()
    tap = Tap(clock)
    tap.saw("sent", "GET /x", b"a")
    clock.move(2)
    tap.saw("received", "200")
    assert tap.steps == [Step("sent", EPOCH, "GET /x", b"a"), Step("received", EPOCH + 2, "200", b"")]
