"""What all clients of the brokers have in common: their configuration, where their log lines go, what their errors mean."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument

PATIENCE = 3.0
"""Seconds after which brokers that don't answer count as away."""
QUIET = 10.0
"""Seconds between two log lines of one kind: each client repeats itself with every attempt to connect."""
MESSAGE_BYTES = 16 << 20
"""The largest message: all the answers of one request fit in it."""

Config = dict[str, Any]


def common(settings: KafkaSettings) -> Config:
    """The configuration that every client needs, in librdkafka's words."""
    config: Config = {
        "bootstrap.servers": ",".join(settings.servers),
        "client.id": "esclusa",
        "socket.keepalive.enable": True,
        "socket.connection.setup.timeout.ms": 3000,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "topic.metadata.refresh.interval.ms": 30_000,
        "log.connection.close": False,
        "security.protocol": _protocol(settings),
    }
    if settings.tls is not None:
        files = {
            "ssl.ca.location": settings.tls.ca,
            "ssl.certificate.location": settings.tls.certificate,
            "ssl.key.location": settings.tls.key,
        }
        config |= {name: path for name, path in files.items() if path is not None}
    if settings.sasl is not None:
        config |= {
            "sasl.mechanism": settings.sasl.mechanism,
            "sasl.username": settings.sasl.username,
            "sasl.password": settings.sasl.password,
        }
    return config


def _protocol(settings: KafkaSettings) -> str:
    if settings.sasl is None:
        return "PLAINTEXT" if settings.tls is None else "SSL"
    return "SASL_PLAINTEXT" if settings.tls is None else "SASL_SSL"


def reading(settings: KafkaSettings) -> Config:
    """The configuration of a consumer that is in no group; it needs a group's name all the same, and never uses it."""
    return common(settings) | {
        "group.id": f"{settings.prefix}reader",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "allow.auto.create.topics": False,
        "enable.partition.eof": False,
        "fetch.message.max.bytes": 1 << 20,
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 10,
        "fetch.error.backoff.ms": 100,
        "queued.min.messages": 5000,
        "queued.max.messages.kbytes": 4096,
    }


def unavailable(error: BaseException | KafkaError | None) -> StorageUnavailable:
    """A client's error in our words, with its name at Kafka's (`REQUEST_TIMED_OUT`)."""
    if isinstance(error, KafkaException) and error.args and isinstance(error.args[0], KafkaError):
        error = error.args[0]
    if isinstance(error, KafkaError):
        said = StorageUnavailable(f"kafka: {error.name().lstrip('_')}: {error.str()}")
    else:
        said = StorageUnavailable(f"kafka: {error}")
    if isinstance(error, BaseException):
        said.__cause__ = error
    return said


def code(error: BaseException) -> int | None:
    """The number of Kafka's error, of an exception that has one."""
    if isinstance(error, KafkaException) and error.args and isinstance(error.args[0], KafkaError):
        return error.args[0].code()
    return None


def tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: Any) -> bool:
    """Have the loop call this soon, from any thread; false when the loop is closed."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        return False
    return True


class Voice(logging.Logger):
    """Takes the clients' log lines, which come in any thread, and has the loop give them to the instrument."""

    def __init__(self, instrument: Instrument) -> None:
        super().__init__("kafka", logging.WARNING)
        self._instrument = instrument
        self._loop = asyncio.get_running_loop()
        self._silent: dict[str, float] = {}
        self.propagate = False

    def handle(self, record: logging.LogRecord) -> None:
        """One line. What librdkafka calls an error is a broker that is away, which it gets over by itself: a warning."""
        tell(self._loop, self._say, record.getMessage())

    def _say(self, said: str) -> None:
        kind, now = said.partition(" ")[0], self._loop.time()
        if now >= self._silent.get(kind, 0.0):
            self._silent[kind] = now + QUIET
            self._instrument.warn("kafka", said=said)
