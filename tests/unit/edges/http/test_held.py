"""Long polls and event streams: they end when their reader goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from esclusa.edges.http.held import EventStream, event, while_read
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import NotFound, TooSlow
from esclusa.testing.virtual import settle
from support.asgi import Exchange

pytestmark = pytest.mark.virtual_time


class Reader:
    """The reader of an answer."""

    def __init__(self) -> None:
        self.gone: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()

    async def receive(self) -> Any:
        return await self.gone

    def leave(self) -> None:
        self.gone.set_result({"type": "http.disconnect"})


class Work:
    """Something that takes a minute, unless it is cancelled."""

    cancelled = False

    async def __call__(self) -> str:
        try:
            await Clock().sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"


async def test_a_reader_that_stays_gets_its_answer() -> None:
    assert await while_read(Work()(), Reader().receive) == "done"


async def test_work_for_a_reader_that_has_gone_is_cancelled() -> None:
    work, reader = Work(), Reader()
    held = asyncio.ensure_future(while_read(work(), reader.receive))
    await settle()
    reader.leave()
    assert await held is None
    assert work.cancelled


async def test_a_reader_that_does_not_send_its_request_whole_has_gone() -> None:
    async def receive() -> Any:
        raise TooSlow

    work = Work()
    assert await while_read(work(), receive) is None


async def test_an_error_of_the_work_is_its_end() -> None:
    async def fail() -> None:
        raise NotFound

    with pytest.raises(NotFound):
        await while_read(fail(), Reader().receive)


async def test_work_that_is_cancelled_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    work = Work()
    held = asyncio.ensure_future(while_read(work(), Reader().receive))
    await settle()
    held.cancel()
    await asyncio.wait({held})
    assert work.cancelled
    assert asyncio.all_tasks() == before


def test_an_event_is_one_whatever_is_in_its_data() -> None:
    said = event("answer", "gA", b'{"a":\n 1,\r\n"b": 2}')
    assert said == b'id: gA\nevent: answer\ndata: {"a":  1,  "b": 2}\n\n'


async def events(clock: Clock, *moments: float) -> AsyncGenerator[bytes, None]:
    for moment in moments:
        await clock.sleep(moment)
        yield event("answer", "x", b"{}")


async def test_a_stream_says_when_to_come_back_and_sends_what_comes() -> None:
    clock = Clock()
    heard = await Exchange(EventStream(events(clock, 1, 1), clock))()
    assert heard.headers["content-type"] == "text/event-stream"
    assert "content-length" not in heard.headers
    assert heard.pieces == [b"retry: 2000\n\n", *[event("answer", "x", b"{}")] * 2, b""]
    assert heard.over


async def test_a_comment_every_15_seconds_keeps_it_alive() -> None:
    clock = Clock()
    heard = await Exchange(EventStream(events(clock, 46), clock))()
    assert heard.pieces.count(b":\n\n") == 3


async def test_a_refusal_ends_it_and_the_reader_comes_back_to_be_told() -> None:
    async def cancelled() -> AsyncGenerator[bytes, None]:
        yield event("answer", "x", b"{}")
        raise NotFound

    heard = await Exchange(EventStream(cancelled(), Clock()))()
    assert heard.over
    assert len(heard.pieces) == 3


async def test_a_fault_of_ours_is_not_taken_for_the_end() -> None:
    async def broken() -> AsyncGenerator[bytes, None]:
        yield b""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Exchange(EventStream(broken(), Clock()))()


async def test_a_reader_that_leaves_ends_what_it_is_fed_from() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield event("answer", "x", b"{}")
                await Clock().sleep(1)
        finally:
            closed.set()

    exchange = Exchange(EventStream(endless(), Clock()))
    streaming = asyncio.ensure_future(exchange())
    await Clock().sleep(2.5)
    exchange.leave()
    await streaming
    assert closed.is_set()
    assert exchange.heard.pieces.count(event("answer", "x", b"{}")) == 3
