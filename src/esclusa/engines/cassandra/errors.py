"""What the driver and the cluster say, in the words of the port."""

from __future__ import annotations

from acsylla import errors as driver

from esclusa.kernel.errors import StorageRefused, StorageUnavailable
from esclusa.kernel.instrument import Counter, Instrument

TIMEOUT, UNREACHABLE, REPLICAS, BUSY, REFUSED, OTHER = "timeout", "unreachable", "replicas", "busy", "refused", "other"
PASSING = frozenset({TIMEOUT, REPLICAS, BUSY})
"""Of what another attempt may mend at once."""

WORDS = {
    TIMEOUT: "Cassandra did not answer in time",
    UNREACHABLE: "no node of Cassandra can be reached",
    REPLICAS: "too few replicas of Cassandra answered",
    BUSY: "Cassandra has too much to do",
    REFUSED: "Cassandra and this program don't accept each other",
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
    driver.CassErrorSslClosed: UNREACHABLE,
    driver.CassErrorSourceSsl: REFUSED,
}
UNABLE = "Unable to perform auth"
"""What nodes say that have not refused anybody: too few of them are there to look up who may do what."""

_CLOSED = (
    "the nodes close every connection at once",
    "they may want TLS: give cassandra.tls; or a certificate that they trust: look at cassandra.tls.certificate",
)
# fmt: off
_WHY = (
    (driver.CassErrorSourceServer, UNABLE, "they can't look up who may do what",
     "this goes by itself when more of them are there"),
    (driver.CassErrorServerUnauthorized, "", "its user has no right to this",
     '"esclusa setup --print" says what gives it'),
    (driver.CassErrorServerBadCredentials, "Authentication required", "the nodes want a login",
     "give cassandra.username and cassandra.password"),
    (driver.CassErrorServerBadCredentials, "", "the login is refused",
     "look at cassandra.username and cassandra.password"),
    (driver.CassErrorSslIdentityMismatch, "", "a node's certificate is for another one",
     "its address has to be in it; look at cassandra.hosts, and at cassandra.tls.identity for what else there is"),
    (driver.CassErrorSslInvalidPeerCert, "expired", "a node's certificate has expired",
     "have it renewed"),
    (driver.CassErrorSslInvalidPeerCert, "not yet valid", "a node's certificate is not valid yet",
     "look at the clock of this machine"),
    (driver.CassErrorSslInvalidPeerCert, "", "a node's certificate comes from an authority that is not trusted",
     "look at cassandra.tls.ca"),
    (driver.CassErrorSslInvalidCert, "", "a file with certificates can't be used",
     "look at cassandra.tls.ca and cassandra.tls.certificate"),
    (driver.CassErrorSslInvalidPrivateKey, "", "the private key can't be used",
     "look at cassandra.tls.key and cassandra.tls.password"),
    (driver.CassErrorSslProtocolError, "wrong version number", "the nodes speak without TLS",
     "leave cassandra.tls out, or have them speak it"),
    (driver.CassErrorSourceSsl, "", "no encrypted connection can be made",
     "look at cassandra.tls; nodes have to speak TLS 1.2, and may want a certificate of this program"),
    (driver.CassErrorLibNoHostsAvailable, "losed prematurely", *_CLOSED),
    (driver.CassErrorLibNoHostsAvailable, "Unable to write to socket", *_CLOSED),
    (driver.CassErrorLibNoHostsAvailable, "refused", "nobody listens there",
     "look at cassandra.hosts, and whether the nodes run"),
    (driver.CassErrorLibNoHostsAvailable, "esol", "there is no host of that name",
     "look at cassandra.hosts"),
    (driver.CassErrorLibNoHostsAvailable, "All hosts", "none of them takes a connection now",
     '"esclusa check --connect" says why'),
)
"""An error, words that the driver says then, what that means, and the remedy. The first that fits tells."""
# fmt: on


def counter(instrument: Instrument) -> Counter:
    """Where failures are counted."""
    return instrument.counter("esclusa_storage_errors_total", "Storage operations that failed, by cause", "cause")


def kind(error: BaseException) -> str:
    """One word for what happened: a label of `esclusa_storage_errors_total`."""
    found = next((_KINDS[cls] for cls in type(error).__mro__ if cls in _KINDS), OTHER)
    return REPLICAS if found == REFUSED and UNABLE in str(error) else found


def unavailable(error: BaseException) -> StorageUnavailable:
    """The port's error for `error`, which is its cause; what the driver says stays there, since it may name anything."""
    why, what = explained(error), kind(error)
    words = f"{WORDS[what]}: {why[0]}; {why[1]}" if why is not None else WORDS[what]
    translated = (StorageRefused if what == REFUSED else StorageUnavailable)(f"{words} ({type(error).__name__})")
    translated.__cause__ = error
    return translated


def explained(error: BaseException) -> tuple[str, str] | None:
    """What happened, more closely than by its kind, and the remedy; None where the driver tells no more."""
    said = str(error)
    return next(((what, remedy) for cls, words, what, remedy in _WHY if isinstance(error, cls) and words in said), None)
