"""What all clients of the brokers have in common: their configuration, where their log lines go, what their errors mean."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.engines.kafka.trouble import Refusal, reason
from esclusa.kernel.errors import StorageRefused, StorageUnavailable
from esclusa.kernel.instrument import Instrument

PATIENCE = 3.0
"""Seconds after which brokers that don't answer count as away."""
GLANCE = 2.5
"""Seconds that a look at the brokers may take: less than the three that whoever looks after them waits, or than a user who
has asked; so that it is told why they don't answer, and not that they don't."""
QUIET, RARELY = 10.0, 600.0
"""Seconds between two log lines of one kind: each client repeats itself with every attempt to connect. Twice as many each
time, and in the end as many as this."""
MESSAGE_BYTES = 16 << 20
"""The largest message: all the answers of one request fit in it."""

AWAY = frozenset((
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - its public name
    KafkaError._MSG_TIMED_OUT,  # noqa: SLF001 - its public name
    KafkaError._TIMED_OUT,  # noqa: SLF001 - its public name
    KafkaError._TRANSPORT,  # noqa: SLF001 - its public name
))  # fmt: skip
"""What a client says where no broker answers it, whatever the reason is."""
FORBIDDEN = frozenset((
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
))  # fmt: skip
"""What a broker says to who has no right to it."""
ATTENTIVE: dict[str, Any] = {
    "topic.metadata.refresh.interval.ms": 1000,
    "metadata.max.age.ms": 90_000,  # what is known stays good while nobody answers
}
"""For who appends or fetches: librdkafka looks for another leader no sooner where one stands still, and takes connections."""
FRESH = 5.0
"""Seconds for which a reason stands that isn't heard of again: clients try to connect each second, at least."""

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
        "security.protocol": _protocol(settings),
    }
    if settings.tls is not None:
        files = {
            "ssl.ca.location": settings.tls.ca,
            "ssl.certificate.location": settings.tls.certificate,
            "ssl.key.location": settings.tls.key,
            "ssl.key.password": settings.tls.password,
        }
        config |= {name: value for name, value in files.items() if value is not None}
        config["ssl.endpoint.identification.algorithm"] = "https"  # brokers' names are checked; the default, but a weighty one
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
        **ATTENTIVE,
        "socket.timeout.ms": int(PATIENCE * 1000),  # a broker that stands still is left for the one that has its work by then
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


def unavailable(error: BaseException | KafkaError | str | None, reason: str | None = None) -> StorageUnavailable:
    """A client's error in our words, with its name at Kafka's (`REQUEST_TIMED_OUT`).

    `reason`: `Voice.reason`, which is told where the error says no more than that nobody answers. `StorageRefused` where that
    is a refusal, or the error says that there is no right to this.
    """
    if isinstance(error, KafkaException) and error.args and isinstance(error.args[0], KafkaError):
        error = error.args[0]
    if isinstance(error, KafkaError):
        because = reason if error.code() in AWAY else None
        words, forbidden = f"{error.name().lstrip('_')}: {because or _words(error)}", error.code() in FORBIDDEN
    else:
        because, forbidden = (reason if isinstance(error, str) else None), False
        words = because or str(error)
    said = (StorageRefused if forbidden or isinstance(because, Refusal) else StorageUnavailable)(f"kafka: {words}")
    if isinstance(error, BaseException):
        said.__cause__ = error
    return said


def _words(error: KafkaError) -> str:
    if error.code() in FORBIDDEN:
        return 'this program\'s user has no right to this: "esclusa setup --print" has the commands that give it'
    return error.str()


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
    """Takes the clients' log lines, which come in any thread, and has the loop give them to the instrument.

    Of those that are no more than a note, such as that a connection was closed, nothing is said; yet they too may hold the
    reason why the brokers can't be spoken to.
    """

    def __init__(self, settings: KafkaSettings, instrument: Instrument) -> None:
        super().__init__("kafka", logging.INFO)
        self._settings = settings
        self._instrument = instrument
        self._loop = asyncio.get_running_loop()
        self._silent: dict[str, tuple[float, float]] = {}
        """By the kind of line, until when it isn't said again, and for how long that is."""
        self._heard: tuple[float, str] | None = None
        self.propagate = False

    @property
    def reason(self) -> str | None:
        """Why the brokers can't be spoken to, by what was heard of late; in our words, with the remedy."""
        heard = self._heard
        return heard[1] if heard is not None and self._loop.time() < heard[0] + FRESH else None

    def handle(self, record: logging.LogRecord) -> None:
        """One line. What librdkafka calls an error is a broker that is away, which it gets over by itself: a warning."""
        said = record.getMessage()
        why = reason(said, self._settings)
        if why is not None:
            self._heard = (self._loop.time(), why)
        if record.levelno >= logging.WARNING:
            tell(self._loop, self._say, said, why)

    def _say(self, said: str, why: str | None) -> None:
        kind, now = said.partition(" ")[0], self._loop.time()
        until, seconds = self._silent.get(kind, (0.0, 0.0))
        if now >= until:
            goes_on = now < until + seconds
            seconds = min(2 * seconds, RARELY) if goes_on else QUIET
            self._silent[kind] = (now + seconds, seconds)
            self._instrument.warn("kafka", said=said, **({} if why is None else {"reason": why}))
