"""What the configuration says of Kafka: `[kafka]`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageError
from esclusa.kernel.settings import Positive, Secret, Settings, TlsSettings


class SaslSettings(Settings, frozen=True, kw_only=True):
    """A user name and a password. Over a connection without TLS, `PLAIN` sends the password as it is."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """As the brokers have it."""
    username: str
    """Who this program is."""
    password: Secret
    """Of that user; from the environment: `"${KAFKA_PASSWORD}"`."""


class KafkaSettings(Settings, frozen=True, kw_only=True):
    """The brokers, and what is kept on them."""

    servers: Annotated[list[str], Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["127.0.0.1:9092"])
    """`host:port` of some of the brokers; they name the others."""
    prefix: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{0,100}$")] = ""
    """What the names of topics and groups begin with: so that several installations can share the brokers."""
    tls: TlsSettings | None = None
    """Connections are encrypted where this is given, even if it is empty; brokers' names are checked too."""
    sasl: SaslSettings | None = None
    """Who this program is, where brokers ask for a user name."""
    replication: Positive | None = None
    """Copies of each partition of topics that are made: 3 unless told, or as many as there are brokers if those are fewer."""
    compression: Literal["none", "lz4"] = "none"
    """Of what is sent. What is sealed has no pattern left to compress: so `none`, unless the hub seals nothing."""
    heartbeat: Duration = Duration(1)
    """How often a consumer tells the brokers that it lives. It also hears by that of partitions given and taken away."""
    session: Duration = Duration(6)
    """How long a consumer that says nothing is believed to live; then others get its partitions."""


def check(settings: KafkaSettings) -> None:
    """`StorageError` for what can't be used, with the remedy."""
    tls = settings.tls
    if tls is not None and bool(tls.certificate) != bool(tls.key):
        raise StorageError("kafka.tls.certificate and kafka.tls.key belong together: give both, or neither")
