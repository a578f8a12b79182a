"""What the driver and the cluster say, in the words of the port."""

from __future__ import annotations

from acsylla import errors as driver  # type: ignore[import-untyped]  # it has no types

from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Counter, Instrument

TIMEOUT, UNREACHABLE, REPLICAS, BUSY, REFUSED, OTHER = "timeout", "unreachable", "replicas", "busy", "refused", "other"
PASSING = frozenset({TIMEOUT, REPLICAS, BUSY})
"""Of what another attempt may mend at once."""

WORDS = {
    TIMEOUT: "Cassandra did not answer in time",
    UNREACHABLE: "no node of Cassandra can be reached",
    REPLICAS: "too few replicas of Cassandra answered",
    BUSY: "Cassandra has too much to do",
    REFUSED: "Cassandra refuses this program: check its user, its rights and its certificates",
    OTHER: "Cassandra failed",
}
_KINDS: dict[type[BaseException], str] = {
    driver.CassErrorLibRequestTimedOut: TIMEOUT,
    driver.CassErrorLibNoHostsAvailable: UNREACHABLE,
    driver.CassErrorLibHostResolution: UNREACHABLE,
    driver.CassErrorLibUnableToConnect: UNREACHABLE,
    driver.CassErrorLibWriteError: UNREACHABLE,
    driver.CassErrorServerUnavailable: REPLICAS,
    driver.CassErrorServerReadTimeout: REPLICAS,
    driver.CassErrorServerWriteTimeout: REPLICAS,
    driver.CassErrorServerReadFailure: REPLICAS,
    driver.CassErrorServerWriteFailure: REPLICAS,
    driver.CassErrorLibNoStreams: BUSY,
    driver.CassErrorLibRequestQueueFull: BUSY,
    driver.CassErrorServerOverloaded: BUSY,
    driver.CassErrorServerBadCredentials: REFUSED,
    driver.CassErrorServerUnauthorized: REFUSED,
    driver.CassErrorSourceSsl: REFUSED,
}


def counter(instrument: Instrument) -> Counter:
    """Where failures are counted."""
    return instrument.counter("esclusa_storage_errors_total", "Storage operations that failed, by cause", "cause")


def kind(error: BaseException) -> str:
    """One word for what happened: a label of `esclusa_storage_errors_total`."""
    return next((_KINDS[cls] for cls in type(error).__mro__ if cls in _KINDS), OTHER)


def unavailable(error: BaseException) -> StorageUnavailable:
    """The port's error for `error`, which is its cause; what the driver says stays there, since it may name anything."""
    translated = StorageUnavailable(f"{WORDS[kind(error)]} ({type(error).__name__})")
    translated.__cause__ = error
    return translated
