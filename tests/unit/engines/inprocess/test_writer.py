"""Writes of one moment, carried out together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from esclusa.engines.inprocess import writer as module
from esclusa.engines.inprocess.writer import BURST, Forget, Write, Writer
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


class Recorder:
    """Storage that notes when it carries out what, and fails when told to."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.groups: list[tuple[float, list[bytes]]] = []
        self.error: BaseException | None = None

    def carry_out(self, group: Sequence[Write[Any]]) -> None:
        if self.error is not None:
            raise self.error
        self.groups.append((round(self.clock.now() - virtual.EPOCH, 6), [w.key for w in group if isinstance(w, Forget)]))


def made(pace: float = 0.0) -> tuple[Writer, Recorder, Clock]:
    clock = Clock(epoch=virtual.EPOCH)
    recorder = Recorder(clock)
    return Writer(recorder, clock, pace=pace), recorder, clock


def write(name: bytes = b"name", size: int = 100) -> Forget:
    forget = Forget(name, 0)
    forget.size = size
    return forget


async def test_what_is_asked_for_in_one_turn_is_one_group_in_its_order() -> None:
    writer, recorder, _ = made()
    await asyncio.gather(*[writer.submit(write(b"%d" % number)) for number in range(10)])
    assert recorder.groups == [(0.0, [b"%d" % number for number in range(10)])]


async def test_a_lone_chain_waits_for_nothing_and_a_lasting_one_keeps_to_the_pace() -> None:
    writer, recorder, _ = made(pace=0.25)
    for _ in range(BURST + 4):
        await writer.submit(write())
    times = [when for when, _ in recorder.groups]
    assert times[: BURST + 1] == [0.0] * (BURST + 1)
    assert times[BURST:] == pytest.approx([0.0, 0.25, 0.5, 0.75])


async def test_what_comes_while_the_pace_is_kept_is_one_group() -> None:
    writer, recorder, clock = made(pace=0.25)
    for _ in range(BURST + 1):
        await writer.submit(write())
    later = [writer.submit(write(b"a"))]
    await clock.sleep(0.1)
    later.append(writer.submit(write(b"b")))
    await asyncio.gather(*later)
    assert recorder.groups[-1] == (0.25, [b"a", b"b"])


async def test_a_group_is_bounded_in_entries_and_in_bytes() -> None:
    writer, recorder, _ = made()
    await asyncio.gather(*[writer.submit(write()) for _ in range(module.GROUP_ENTRIES * 2 + 1)])
    assert [len(names) for _, names in recorder.groups] == [module.GROUP_ENTRIES, module.GROUP_ENTRIES, 1]
    recorder.groups.clear()
    await asyncio.gather(*[writer.submit(write(size=module.GROUP_BYTES // 2)) for _ in range(5)])
    assert [len(names) for _, names in recorder.groups] == [2, 2, 1]


async def test_the_queue_is_bounded_in_bytes_and_takes_more_once_there_is_room() -> None:
    writer, _, _ = made()
    taken = [writer.submit(write(size=module.QUEUE_BYTES // 4)) for _ in range(4)]
    with pytest.raises(StorageUnavailable, match="slower"):
        await writer.submit(write())
    await asyncio.gather(*taken)
    await writer.submit(write())
    assert writer.bytes == 0


async def test_the_queue_is_bounded_in_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_ENTRIES", 3)
    writer, _, _ = made()
    for _ in range(3):
        writer.submit(write())
    with pytest.raises(StorageUnavailable):
        await writer.submit(write())


async def test_a_group_fails_as_a_whole_each_with_an_error_of_its_own_and_the_next_succeeds() -> None:
    writer, recorder, _ = made()
    recorder.error = StorageUnavailable("the disk is full")
    recorder.error.__cause__ = OSError("disk")
    results = await asyncio.gather(*[writer.submit(write()) for _ in range(3)], return_exceptions=True)
    assert [str(result) for result in results] == ["the disk is full"] * 3
    assert len({id(result) for result in results}) == 3
    assert all(isinstance(result, StorageUnavailable) and isinstance(result.__cause__, OSError) for result in results)
    recorder.error = None
    await writer.submit(write())


async def test_a_mistake_in_the_engine_leaves_nobody_waiting_and_is_seen() -> None:
    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
    writer, recorder, _ = made()
    recorder.error = ZeroDivisionError()
    with pytest.raises(StorageUnavailable, match="ZeroDivisionError"):
        await writer.submit(write())
    recorder.error = None
    await writer.submit(write())
    assert isinstance(seen[0]["exception"], ZeroDivisionError)


async def test_a_write_may_fail_alone() -> None:
    writer, _, _ = made()
    failing = write()
    failing.error = StorageUnavailable("no room for this one")
    alone, other = writer.submit(failing), writer.submit(write())
    await other
    with pytest.raises(StorageUnavailable, match="this one"):
        await alone


async def test_a_cancelled_write_is_carried_out_all_the_same() -> None:
    writer, recorder, _ = made()
    writer.submit(write(b"cancelled")).cancel()
    await writer.submit(write(b"other"))
    assert recorder.groups[0][1] == [b"cancelled", b"other"]


async def test_nothing_is_carried_out_while_it_is_held() -> None:
    writer, recorder, clock = made()
    first = writer.submit(write(b"first"))
    writer.hold()
    second = writer.submit(write(b"second"))
    await clock.sleep(10)
    assert not recorder.groups
    assert writer.waiting == 2
    writer.go_on()
    await asyncio.gather(first, second)
    assert recorder.groups == [(10.0, [b"first", b"second"])]
    writer.go_on()
    await writer.submit(write())


async def test_settled_waits_for_what_was_asked_for_though_it_fails_or_is_cancelled() -> None:
    writer, recorder, _ = made()
    await writer.settled()
    recorder.error = StorageUnavailable("no")
    failing = writer.submit(write())
    writer.submit(write()).cancel()
    await writer.settled()
    assert writer.waiting == 0
    assert isinstance(failing.exception(), StorageUnavailable)


async def test_closing_finishes_what_is_there_and_takes_no_more() -> None:
    writer, recorder, _ = made()
    at_hand = writer.submit(write())
    closing = asyncio.ensure_future(writer.close())
    await at_hand
    with pytest.raises(Closed):
        await writer.submit(write())
    await closing
    assert len(recorder.groups) == 1


async def test_killed_it_carries_out_nothing_more() -> None:
    writer, recorder, clock = made()
    lost = writer.submit(write())
    writer.kill()
    with pytest.raises(Closed):
        await lost
    with pytest.raises(Closed):
        await writer.submit(write())
    await clock.sleep(1)
    assert not recorder.groups
