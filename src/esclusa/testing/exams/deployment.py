"""How an exam starts the engine that it examines."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Protocol, TypeVar

import msgspec

from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError
from esclusa.ports.installation import Installation
from esclusa.ports.keys import Keys
from esclusa.ports.log import Log
from esclusa.ports.records import Records
from esclusa.ports.upkeep import Upkeep
from esclusa.testing import virtual

T = TypeVar("T")


class Features(msgspec.Struct, frozen=True):
    """In what engines may differ. What isn't declared is proved to be absent."""

    durable: bool = False
    """What was acknowledged is there when every process has ended and one is started anew."""
    processes: bool = False
    """Several processes can use the same data at the same time."""
    expires: bool = False
    """What has expired goes by itself: a sweep has nothing to do, and says so."""


class Process(Protocol):
    """One process's ports. An engine that lacks a port has no exam of it, and may leave the attribute out."""

    @property
    def log(self) -> Log: ...
    @property
    def records(self) -> Records: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def upkeep(self) -> Upkeep: ...
    @property
    def installation(self) -> Installation: ...

    async def stop(self) -> None:
        """End in order: every port is closed."""

    def kill(self) -> None:
        """End as by `kill -9`: nothing is finished, committed or released."""


async def end(process: Process, *, kill: bool) -> None:
    """End a process, in order or not."""
    if kill:
        process.kill()
    else:
        await process.stop()


class Deployment(Protocol):
    """An engine with its data, on which processes are started: one after the other, or side by side."""

    @property
    def features(self) -> Features: ...

    async def process(self, clock: Clock) -> Process:
        """Start a process whose time is `clock`."""


class Exam(ABC):
    """What all exams share. `limit`: seconds that anything asynchronous may take."""

    limit = 60.0

    @abstractmethod
    def deployment(self) -> AbstractAsyncContextManager[Deployment]:
        """A fresh deployment with nothing stored; leaving it ends what still runs."""

    def clock(self, skew: float = 0.0) -> Clock:
        """A process's time; in virtual time unless overridden."""
        return Clock(skew=skew, epoch=virtual.EPOCH)

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run one example of a model's test; on a virtual-time loop unless overridden."""
        virtual.run(main)


async def swept(upkeep: Upkeep, before: int) -> int:
    """Sweep until nothing is left; how many were deleted."""
    deleted, left = 0, 1
    while left:
        one = await upkeep.sweep(before)
        assert one.deleted > 0 or one.left == 0, "what is left and not deleted would be swept for ever"
        deleted, left = deleted + one.deleted, one.left
    return deleted


async def cancelled(clock: Clock, turns: int, work: Coroutine[Any, Any, T]) -> T | None:
    """Run `work` and cancel it after so many `turns` of the loop; its result, if it was done by then."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await clock.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        return await task
    return None


async def waited(future: Awaitable[T]) -> T:
    """A coroutine for what is a future."""
    return await future


async def raises(error: type[StorageError], work: Awaitable[object]) -> None:
    """`work` ends with `error`."""
    try:
        await work
    except error:
        return
    raise AssertionError(f"{error.__name__} was to be raised")
