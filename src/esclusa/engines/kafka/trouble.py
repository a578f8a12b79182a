"""Why the brokers can't be spoken to: what their client says of it in passing, in our words.

librdkafka tells whoever waits that the time is over, and the reason in its log alone. It names no reason why a certificate
was refused, and says nothing at all of brokers that want TLS, or a login, from a client that has neither: they close the
connection.

Some reasons go by themselves: who is not there may be soon, and what stands between closes connections as well. Others are a
`Refusal`.
"""

from __future__ import annotations

import re

from esclusa.engines.kafka.settings import KafkaSettings

CLOSED = re.compile(r"Disconnected.*\(after (\d{1,3})ms in state (APIVERSION_QUERY|UP)\)")
"""A connection that was closed as soon as it was there."""
BROKER = re.compile(r"(?:^|\s|://)((?!\[thrd:)[^\s/]+:\d+)/")

TORN = ("Local: Broker transport failure", "Local: Timed out")
"""In a line of a refusal: nobody has refused anything, the connection was torn before the answer."""


class Refusal(str):
    """A reason that stands until somebody mends it."""

    __slots__ = ()


_LOGIN = "refuses the login: look at kafka.sasl: username, password and mechanism"
_CERTIFICATE = (
    "has a certificate that can't be trusted: it has to come from an authority of kafka.tls.ca, to be for the name or address"
    " that kafka.servers and the brokers' advertised.listeners have, and to be in force today"
)
_REASONS = (
    ("SASL authentication error", _LOGIN, Refusal),
    (
        "mechanism handshake failed",
        "takes no such login: look at kafka.sasl.mechanism, and whether kafka.servers name the port for it",
        Refusal,
    ),
    ("certificate verify failed", _CERTIFICATE, Refusal),
    (
        "PLAINTEXT broker listener",
        "breaks TLS off, and may speak without it there: look at kafka.servers, or leave kafka.tls out",
        str,
    ),
    (
        "SSL alert",
        "refuses this program's certificate, or wants one: look at kafka.tls.certificate and kafka.tls.key",
        Refusal,
    ),
    ("SSL handshake failed", "does not agree on TLS: look at kafka.tls, and at the versions of TLS that it speaks", str),
    ("Failed to resolve", "has a name that has no address: look at kafka.servers, and the brokers' advertised.listeners", str),
    ("Connection refused", "is not there: look at kafka.servers, and whether it runs", str),
    ("timed out", "does not answer: look at kafka.servers, and at what stands between", str),
)
"""Words that stand in a line of the log, what they mean, and whether that is a refusal; the first that fits."""


def reason(line: str, settings: KafkaSettings) -> str | None:
    """Which broker and why, with the remedy, by a line of the client's log; None where it says nothing of that."""
    if (found := BROKER.search(line)) is None:
        return None
    for words, what, weight in _REASONS:
        if words in line:
            return (str if any(torn in line for torn in TORN) else weight)(f"{found[1]} {what}")
    closed = _closed(line, settings)
    return None if closed is None else f"{found[1]} {closed}"


def _closed(line: str, settings: KafkaSettings) -> str | None:
    """Brokers close a connection on which they don't hear what they want to."""
    if (closed := CLOSED.search(line)) is None:
        return None
    if settings.tls is None and closed[2] == "APIVERSION_QUERY":
        return "closes every connection at once: if it wants TLS there, give kafka.tls"
    if settings.sasl is None and closed[2] == "UP":
        return "closes every connection at once: if it wants a login there, give kafka.sasl"
    return None
