"""Appending: one producer a process, idempotent, acknowledged by all replicas in sync.

A message that was given up may stand there all the same. And another that waits meanwhile may stand there twice, in any
partition: once librdkafka has given one up, or is told that one is out of order because the one before it has failed, it
begins a new epoch, in which it numbers anew what it sends again; brokers that have taken that already can't tell
(librdkafka issue 4953; `tests/faults/test_kafka.py` shows it). The port allows for both.

Delivery reports come in a thread of its own and go to the loop in batches: one call for all that came meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import Future
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from esclusa.engines.kafka.client import ATTENTIVE, MESSAGE_BYTES, Config, Voice, tell, unavailable
from esclusa.kernel.errors import Closed, StorageError, StorageUnavailable
from esclusa.kernel.instrument import Instrument

DELIVERY = 3.0
"""Seconds that a message has to be acknowledged; then its append fails."""
LINGER_MS = 0
"""Milliseconds that a message waits for others to share a request with: those that come while one is on its way share the next.

One more would only be a millisecond on each of the three topics that a request passes, at the same cost or a higher one.
"""
ROOM = 32 << 20
"""Bytes that may wait to be acknowledged."""
ENTRY = 128
"""Bytes that a message counts beside its key and value."""
POLL = 0.1
FAREWELL = DELIVERY + 2.0
"""Seconds within which each message is acknowledged or given up."""

_Report = tuple[Future[int], int, KafkaError | None, int]


class _Line:
    """A producer of librdkafka with the thread that serves its delivery reports."""

    def __init__(self, config: Config, voice: Voice, owner: Appender) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self._reports: list[_Report] = []
        self._lock = threading.Lock()
        self._voice = voice
        self.producer = Producer(config, logger=voice)
        self._thread = threading.Thread(target=self._serve, name="esclusa-kafka-producer", daemon=True)
        self._thread.start()

    def append(self, topic: str, number: int, key: bytes, value: bytes, made: int, future: Future[int], size: int) -> None:
        self.producer.produce(topic, value, key, number, on_delivery=partial(self._reported, future, size), timestamp=made)

    def _serve(self) -> None:
        while not self._ended:
            self._poll(POLL)
        self.producer.purge()
        self._poll(0)

    def _poll(self, seconds: float) -> None:
        """A fatal error is raised here, whatever callbacks there are; appends have it in their reports or their own calls."""
        try:
            self.producer.poll(seconds)
        except KafkaException as error:
            self._voice.error("producer: %s", error)

    def _reported(self, future: Future[int], size: int, error: KafkaError | None, message: Message[Any, Any]) -> None:
        """In the thread of the line."""
        report = (future, size, error, message.offset() or 0)
        with self._lock:
            self._reports.append(report)
            first = len(self._reports) == 1
        if first and not tell(self._loop, self._hand_over):
            self._ended = True

    def _hand_over(self) -> None:
        with self._lock:
            reports, self._reports = self._reports, []
        self._owner.reported(self, reports)

    def end(self) -> None:
        """Give up what has not been sent; its reports still come."""
        self._ended = True


class Appender:
    """Appends messages. `append` is called on the loop."""

    def __init__(self, config: Config, compression: str, voice: Voice, instrument: Instrument) -> None:
        self._config = config | {
            **ATTENTIVE,
            "acks": "all",
            "enable.idempotence": True,
            "delivery.timeout.ms": int(DELIVERY * 1000),
            "socket.timeout.ms": int(DELIVERY * 1000),  # of what is no message: the other brokers may know better by then
            "linger.ms": LINGER_MS,
            "compression.type": compression,
            "message.max.bytes": MESSAGE_BYTES,
            "queue.buffering.max.kbytes": 2 * ROOM >> 10,
            "queue.buffering.max.messages": 0,
            "topic.metadata.propagation.max.ms": 1000,
        }
        self._voice = voice
        self._instrument = instrument
        self._loop = asyncio.get_running_loop()
        self._line: _Line | None = None
        self._pending: dict[Future[int], None] = {}
        self._settled = asyncio.Event()
        self.bytes = 0
        """That wait to be acknowledged."""
        self._closed = False

    def connect(self) -> None:
        """Begin to: a producer needs half a second until it may send, and what is appended meanwhile waits for that.

        `StorageError` for settings that it can't be made from.
        """
        try:
            self._open()
        except KafkaException as error:
            raise StorageError(str(unavailable(error))) from error

    def _open(self) -> _Line:
        if self._line is None:
            self._line = _Line(self._config, self._voice, self)
        return self._line

    def append(self, topic: str, number: int, key: bytes, value: bytes, made: int) -> Future[int]:
        """Append to partition `number`; the offset. `made`: ms since the epoch. Order is that of the calls."""
        future: Future[int] = self._loop.create_future()
        size = len(key) + len(value) + ENTRY
        try:
            if self._closed:
                raise Closed("the log is closed")
            if self.bytes + size > ROOM:
                raise StorageUnavailable(f"kafka: {self.bytes} bytes wait to be acknowledged, there is no room for more")
            self._open().append(topic, number, key, value, made, future, size)
        except StorageError as error:
            future.set_exception(error)
        except (KafkaException, BufferError) as error:
            future.set_exception(unavailable(error, self._voice.reason))
            self._renew_if_fatal(self._line, error.args[0] if error.args else None)
        else:
            self.bytes += size
            self._pending[future] = None
        return future

    def reported(self, line: _Line, reports: list[_Report]) -> None:
        """What became of messages."""
        pending = self._pending
        for future, size, error, offset in reports:
            self.bytes -= size
            pending.pop(future, None)
            if error is not None:
                if not future.done():
                    future.set_exception(unavailable(error, self._voice.reason))
                self._renew_if_fatal(line, error)
            elif not future.done():
                future.set_result(offset)
        if not pending:
            self._settled.set()

    def _renew_if_fatal(self, line: _Line | None, error: object) -> None:
        """A producer that can't go on, such as one that lost its place in a partition, makes room for a new one."""
        if line is not None and line is self._line and isinstance(error, KafkaError) and error.fatal():
            self._instrument.error("kafka.producer.renewed", reason=error.name())
            line.end()
            self._line = None

    async def refresh(self, topic: str) -> None:
        """Nothing is known for sure of a topic that has changed: the producer looks at it again."""
        if self._line is not None:
            producer = self._line.producer
            try:
                await self._loop.run_in_executor(None, producer.list_topics, topic, DELIVERY)
            except KafkaException as error:
                raise unavailable(error, self._voice.reason) from error

    async def settled(self) -> None:
        """Wait until what has been asked for is done or has failed."""
        while self._pending:
            self._settled.clear()
            await self._settled.wait()

    async def close(self) -> None:
        """Take no more, and finish what is at hand."""
        self._closed = True
        try:
            async with asyncio.timeout(FAREWELL):
                await self.settled()
        except TimeoutError:
            pass  # `kill` fails what is left
        finally:
            self.kill()

    def kill(self) -> None:
        """Die: what has not been sent is dropped."""
        self._closed = True
        if self._line is not None:
            self._line.end()
            self._line = None
        for future in self._pending:
            if not future.done():
                future.set_exception(Closed("the log was closed before the message was acknowledged"))
        self._pending.clear()
        self._settled.set()
