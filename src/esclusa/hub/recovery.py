"""What of a partition has been answered already, by whoever had it before.

When a process is given a partition, the envelopes between the committed position and the end may have been asked, and
answered, by its former owner. An answer that the log has acknowledged is never asked for again: so the answers of that
partition are read, since the envelope was made (less the skew that clocks may have), before it is handed out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esclusa.hub.stored import Answers, decode
from esclusa.kernel.errors import Unreadable

if TYPE_CHECKING:
    from esclusa.ports.log import Log, Topic


class Recovery:
    """The answers of one partition, as far as they have been asked for."""

    def __init__(self, log: Log, answers: Topic, partition: int, skew: int) -> None:
        """`skew`: milliseconds by which two processes' clocks may differ."""
        self._log = log
        self._topic = answers
        self._partition = partition
        self._skew = skew
        self._since: int | None = None
        self._end = 0
        self._found: dict[bytes, set[str]] = {}

    async def answered(self, id: bytes, made: int, end: int) -> set[str]:
        """Who has answered the request `id`, made at `made`, below position `end` of the answers. `StorageError`."""
        since = made - self._skew
        if self._since is None or since < self._since or end > self._end:
            since = since if self._since is None else min(since, self._since)
            await self._read(since, max(end, self._end))
        return self._found.get(id, set())

    async def _read(self, since: int, end: int) -> None:
        async for messages in self._log.read(self._topic, self._partition, since, end):
            for message in messages:
                try:
                    answers = decode(Answers, message.value)
                except Unreadable:
                    continue  # the collector says so; here it answers for nobody
                self._found.setdefault(answers.id, set()).update(part.connector for part in answers.parts)
        self._since, self._end = since, end

    def forget(self) -> None:
        """What was read is needed no more; it is read again if that turns out wrong."""
        self._since, self._end = None, 0
        self._found = {}
