"""One process's ports over a memory that several processes may share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from esclusa.engines.inprocess.log import InProcessLog
from esclusa.engines.inprocess.records import InProcessRecords
from esclusa.engines.inprocess.writer import Add, Append, Commit, Forget, Put, Read, Write, Writer
from esclusa.engines.memory.installation import MemoryInstallation
from esclusa.engines.memory.keys import MemoryKeys
from esclusa.engines.memory.upkeep import MemoryUpkeep
from esclusa.engines.memory.world import World
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.message import Message
from esclusa.ports.records import Row


class MemoryEngine:
    """The ports of one process: `log`, `records`, `keys`, `upkeep`, `installation`. A `Part`, usable from its making on.

    `world`: the memory; a new one unless given. `beside` makes another process on the same one.
    """

    def __init__(self, clock: Clock, world: World | None = None) -> None:
        self.world = World() if world is None else world
        self.ended = False
        process = _Process(self.world, clock)
        self._writer = Writer(process, clock)
        self.log = InProcessLog(self.world.topics, self._writer, clock)
        self.records = InProcessRecords(process, self._writer)
        self.keys = MemoryKeys(self.world, clock)
        self.installation = MemoryInstallation()
        self.upkeep = MemoryUpkeep(self.world, self.records, clock)

    def beside(self, clock: Clock) -> MemoryEngine:
        """Another process on the same memory, with a clock of its own."""
        return MemoryEngine(clock, self.world)

    async def start(self) -> None:
        """Nothing: it is usable from its making on."""

    async def drain(self) -> None:
        """Finish what is in the queue."""
        await self._writer.settled()

    async def stop(self) -> None:
        """Close every port of this process; what was stored stays in the `world`."""
        self.ended = True
        await self.log.close()
        await self.records.close()
        await self.keys.close()
        await self._writer.close()

    def kill(self) -> None:
        """Die at once: what was asked for and not carried out is lost, nothing more is committed, nothing is released."""
        self.ended = True
        self._writer.kill()
        self.log.kill()
        self.records.kill()
        self.keys.kill()


class _Process:
    """How the memory looks to a process, by its clock."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    def rows(self, key: bytes, bodies: bool | Collection[str]) -> list[Row]:
        """The rows of `key` that have not expired by this process's clock, in the order of their names."""
        return self._world.rows(key, bodies, self._clock.millis())

    def carry_out(self, group: Sequence[Write[Any]]) -> None:
        """Do what was asked for, in its order; what finds no room fails alone."""
        world, now = self._world, self._clock.millis()
        for write in group:
            if world.bytes + write.size > world.capacity and isinstance(write, Append | Put | Add):
                write.error = StorageUnavailable(f"the memory is full: {world.bytes} of {world.capacity} bytes")
            elif isinstance(write, Append):
                message = Message(write.partition.end, write.made, write.key, write.value)
                world.bytes += len(write.value)
                write.partition.grow([message])
                write.result = message.offset
            elif isinstance(write, Commit):
                if write.claim.held:
                    write.claim.group.advance(write.claim.partition.number, write.position)
            elif isinstance(write, Put):
                world.put(write.key, write.rows, now)
            elif isinstance(write, Add):
                write.result = world.add(write.key, write.row, now)
            elif isinstance(write, Forget):
                world.forget(write.key, write.until, now)
            elif isinstance(write, Read):
                write.result = world.rows(write.key, write.bodies, now)
