"""What of a partition has been answered already, by whoever had it before.

When a process is given a partition, the envelopes between the committed position and the end may have been asked, and
answered, by its former owner. An answer that the log has acknowledged is never asked for again: so the answers of that
partition are read, since the envelope was made (less the skew that clocks may have), before it is handed out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from esclusa.hub.stored import VERSION, Answers, decode, encode
from esclusa.kernel.errors import Unreadable

if TYPE_CHECKING:
    from esclusa.hub.stored import Envelope
    from esclusa.ports.log import Log, Topic


class Recovery:
    """The answers of one partition, as far as they have been asked for. Each is read once, until `forget`."""

    def __init__(self, log: Log, answers: Topic, partition: int, skew: int) -> None:
        """Made when this process is given the partition. `skew`: of clocks, milliseconds."""
        self._log = log
        self._topic = answers
        self._partition = partition
        self._skew = skew
        self._noted: int | None = None
        """Where the answers ended when the first of them was asked for."""
        self.forget()

    def forget(self) -> None:
        """What was read is needed no more; it is read again if that turns out wrong."""
        self._since: int | None = None
        self._first = self._end = 0
        """What has been read: everything made since `_since` that stands below `_end`, and it begins at `_first`."""
        self._found: dict[bytes, dict[str, int]] = {}

    async def answered(self, envelope: Envelope) -> Mapping[str, int]:
        """Who has answered `envelope`, with the bytes of each answer's data. `StorageError`.

        Only what a former owner has answered is found: what this process asks it knows by itself. Of a former owner's
        answers one that counts is there by now: its envelope is committed, or else comes to this process.
        """
        if self._noted is None:
            self._noted = await self._present_end(envelope)
        await self.cover(envelope.times.created - self._skew, self._noted)
        return self._found.get(envelope.id, {})

    async def _present_end(self, envelope: Envelope) -> int:
        """Where the answers end now: behind a mark of our own, below which stands whatever was acknowledged before.

        The log's word for its end would not do: a server that was stopped, and replaced meanwhile, tells an old one until it
        hears of that. Yet it can't acknowledge anything.
        """
        mark = Answers(VERSION, envelope.id, envelope.times.expires, [], b"")
        return await self._log.append(self._topic, envelope.id, encode(mark)) + 1

    async def cover(self, since: int, end: int) -> None:
        """Have all answers been read that were made since `since` and stand below `end`. `StorageError`."""
        if self._since is None:
            first = await self._read(since, end, 0)
            self._since, self._first, self._end = since, end if first is None else first, end
        if since < self._since:
            first = await self._read(since, self._first, 0)
            self._since, self._first = since, self._first if first is None else first
        if end > self._end:
            await self._read(self._since, end, self._end)
            self._end = end

    async def _read(self, since: int, end: int, start: int) -> int | None:
        """Take in the answers made since `since` that stand from `start` on, below `end`; where the first one stands."""
        first: int | None = None
        async for messages in self._log.read(self._topic, self._partition, since, end, start):
            if first is None:
                first = messages[0].offset
            for message in messages:
                try:
                    answers = decode(Answers, message.value)
                except Unreadable:
                    continue  # the collector says so; here it answers for nobody
                for head in answers.heads:
                    self._found.setdefault(answers.id, {}).setdefault(head.connector, head.size)
        return first
