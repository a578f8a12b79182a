"""The demo country in the test's own loop, where nothing takes any time, and somebody to call its bodies."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
import pytest

from esclusa.demo.bodies import BODIES, Body
from esclusa.demo.country import Country
from esclusa.kernel.clock import Clock


class HastyClock(Clock):
    """Sleeping takes no time; `ahead` moves time on by hand."""

    __slots__ = ("ahead", "slept")

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        """The machine's time, moved on."""
        return super().now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Take note of it, and no time."""
        self.slept.append(seconds)
        await super().sleep(0)


class Answer(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """Unpacked, and decoded as the answer says."""
        packed = self.headers.get("content-encoding") == "gzip"
        charset = self.headers["content-type"].partition("charset=")[2] or "utf-8"
        return (gzip.decompress(self.content) if packed else self.content).decode(charset)

    @property
    def said(self) -> Any:
        """The JSON in it."""
        return json.loads(self.text)


async def call(port: int, target: str, *headers: str, method: str = "GET", body: bytes = b"") -> Answer:
    """Call a body on a connection of its own. `ConnectionError` when it refuses or cuts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        fields = [*headers, "Connection: close", *([f"Content-Length: {len(body)}"] if body else [])]
        writer.write("\r\n".join([f"{method} {target} HTTP/1.1", "Host: x", *fields, "", ""]).encode() + body)
        whole = await reader.read()
        if not whole:
            raise ConnectionResetError("cut")
        head, _, content = whole.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        return Answer(int(first.split()[1]), {k.lower(): v for k, v in (field.split(": ", 1) for field in rest)}, content)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def open_country(*bodies: Body) -> AsyncIterator[tuple[Country, HastyClock]]:
    """These bodies, or all of them, on free ports."""
    clock = HastyClock()
    country = Country(clock, bodies or BODIES)
    died = asyncio.get_running_loop().create_future()
    country.background.when_dead(died.set_exception)
    await country.start()
    try:
        yield country, clock
    finally:
        await country.stop()
        if died.done():
            died.result()


@pytest.fixture
def ask() -> Callable[..., Awaitable[Answer]]:
    return call


@pytest.fixture
def running() -> Callable[..., AbstractAsyncContextManager[tuple[Country, HastyClock]]]:
    return open_country
