"""A member of a group that works: it finishes messages in any order, and commits the lowest that it hasn't.

As a process of its own: `python -m support.log_worker NAME SERVERS PREFIX TOPIC`; it tells what it does line
by line, leaves when its input ends, and dies when it is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from asyncio import Future
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.hub.positions import Tracker
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed
from esclusa.kernel.instrument import Instrument
from esclusa.ports.log import Assigned, Delivered, Revoked, Subscription, Topic

GROUP = "workers"
SLOWEST = 0.03
"""Seconds that a message may take."""

Kind = Literal["given", "end", "delivered", "finished", "committed", "revoked", "lost"]


class Deed(msgspec.Struct, frozen=True):
    """What a worker was told or did; `number`: a position or an offset."""

    worker: str
    kind: Kind
    partition: int
    number: int
    at: float
    """By the loop's clock, which is the machine's."""


class LogWorker:
    """Works until its subscription is closed."""

    def __init__(self, name: str, subscription: Subscription, tell: Callable[[Deed], None]) -> None:
        self.name = name
        self._subscription = subscription
        self._tell = tell
        self._dice = random.Random(name)
        self._loop = asyncio.get_running_loop()
        self._owned: dict[int, Tracker] = {}
        self.task = self._loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            while True:
                match await self._subscription.receive():
                    case Assigned() as event:
                        self._owned[event.partition] = Tracker(event.committed)
                        self._say("given", event.partition, event.committed)
                        self._say("end", event.partition, event.end)
                    case Delivered() as event:
                        for message in event.messages:
                            self._begin(event.partition, message.offset)
                    case Revoked() as event:
                        await self._revoked(event)
        except Closed:
            self._owned.clear()

    def _begin(self, partition: int, offset: int) -> None:
        tracker = self._owned[partition]
        tracker.take(offset)
        self._say("delivered", partition, offset)
        self._loop.call_later(self._dice.random() * SLOWEST, self._finish, partition, tracker, offset)

    def _finish(self, partition: int, tracker: Tracker, offset: int) -> None:
        if self._owned.get(partition) is not tracker:
            return  # it is another's by now
        before = tracker.position
        tracker.finish(offset)
        self._say("finished", partition, offset)
        if tracker.position > before:
            commit = self._subscription.commit(partition, tracker.position)
            commit.add_done_callback(partial(self._committed, partition, tracker.position))

    def _committed(self, partition: int, position: int, commit: Future[None]) -> None:
        if not commit.cancelled() and commit.exception() is None:
            self._say("committed", partition, position)

    async def _revoked(self, event: Revoked) -> None:
        self._say("lost" if event.lost else "revoked", event.partition, 0)
        tracker = self._owned.pop(event.partition, None)
        if tracker is not None and not event.lost:
            commit = self._subscription.commit(event.partition, tracker.position)
            await asyncio.wait([commit])
            self._committed(event.partition, tracker.position, commit)
        if not event.lost:
            await self._subscription.release(event.partition)

    def _say(self, kind: Kind, partition: int, number: int) -> None:
        self._tell(Deed(self.name, kind, partition, number, self._loop.time()))

    async def leave(self) -> None:
        """Leave the group, and fail if it has failed."""
        await self._subscription.close()
        await self.task


class Outside:
    """A worker in a process of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, tell: Callable[[Deed], None]) -> None:
        self.name = name
        self._process = process
        self._tell = tell
        self._task = asyncio.ensure_future(self._listen())
        self.given = asyncio.Event()
        """Set once it has been given a partition."""

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.endswith(b"\n"):  # one that was killed may have said half a line
                deed = msgspec.json.decode(line, type=Deed)
                self._tell(deed)
                if deed.kind == "given":
                    self.given.set()

    async def leave(self) -> int:
        """Its code, when it has left the group and ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self._end()

    async def kill(self) -> None:
        """As by kill -9."""
        if self._process.returncode is None:
            self._process.kill()
        await self._end()

    async def _end(self) -> int:
        await self._task
        return await self._process.wait()


@asynccontextmanager
async def outside(name: str, settings: KafkaSettings, topic: Topic, tell: Callable[[Deed], None]) -> AsyncIterator[Outside]:
    """A worker in a process of its own, which has ended when the context has."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "support.log_worker", name, json.dumps(settings.servers), settings.prefix, msgspec.json.encode(topic),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    worker = Outside(name, process, tell)
    try:
        yield worker
    finally:
        await worker.kill()


async def main(name: str, settings: KafkaSettings, topic: Topic) -> None:
    """Work until the input ends."""
    engine = KafkaEngine(settings, Clock(), Instrument())
    await engine.start()
    subscription = await engine.log.subscribe(topic, GROUP)
    worker = LogWorker(name, subscription, _print)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await worker.leave()
    await engine.stop()


def _print(deed: Deed) -> None:
    sys.stdout.write(f"{msgspec.json.encode(deed).decode()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    said = sys.argv[1:]
    asyncio.run(
        main(said[0], KafkaSettings(servers=json.loads(said[1]), prefix=said[2]), msgspec.json.decode(said[3], type=Topic)),
    )
