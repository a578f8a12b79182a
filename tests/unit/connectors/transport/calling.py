"""Calls of the HTTP client, how they end, and waiting for what the client gives no signal of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from esclusa.connectors.transport import Address, HttpClient, HttpError, Limits, Origin, Request, Response
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Script, hostile


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until `holds`."""
    while not holds():  # noqa: ASYNC110 - what is waited for is the state of the client, which has no event to give
        await asyncio.sleep(0)


async def turns(count: int = 20) -> None:
    """Let the loop turn: time enough for what should not happen."""
    for _ in range(count):
        await asyncio.sleep(0)


class Outcomes(list[Response | HttpError]):
    """A `done` that remembers."""

    def __call__(self, outcome: Response | HttpError) -> None:
        self.append(outcome)

    async def wait(self, count: int = 1) -> Response | HttpError:
        """The last of `count` outcomes."""
        await until(lambda: len(self) >= count)
        return self[-1]


def get(target: str = "/x") -> Request:
    """A request that may be repeated."""
    return Request("GET", target)


def post(body: bytes = b"body") -> Request:
    """A request that may not."""
    return Request("POST", "/x", body=body)


async def outcome(
    client: HttpClient, clock: Clock, request: Request | None = None, seconds: float = 10.0
) -> Response | HttpError:
    """How one call ends."""
    try:
        return await client.request(request or get(), clock.now() + seconds)
    except HttpError as error:
        return error


async def one(script: Script, request: Request | None = None, **limits: float) -> Response | HttpError:
    """How one call to a back end with this script ends."""
    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(**limits)) as client:  # type: ignore[arg-type]  # floats for ints
            return await outcome(client, clock, request)


def body(ended: Response | HttpError) -> bytes:
    """The body of what should be an answer."""
    assert isinstance(ended, Response), ended
    return ended.body


def error(ended: Response | HttpError) -> HttpError:
    """What should be an error."""
    assert isinstance(ended, HttpError), ended
    return ended


def kind(ended: Response | HttpError) -> str:
    """The kind of error, or the status."""
    return ended.kind if isinstance(ended, HttpError) else str(ended.status)


def descriptors() -> int:
    """Descriptors that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def local(_: str) -> list[Address]:
    """A look-up: every host is here."""
    return [ip_address("127.0.0.1")]
