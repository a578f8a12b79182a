"""What the lines of the brokers' client mean, as librdkafka 2.16 writes them."""

from __future__ import annotations

import pytest

from esclusa.engines.kafka.settings import KafkaSettings, SaslSettings
from esclusa.engines.kafka.trouble import Refusal, reason
from esclusa.kernel.settings import TlsSettings

TLS = TlsSettings()
SASL = SaslSettings(username="esclusa", password="open sesame")


def line(text: str, protocol: str = "sasl_ssl://") -> str:
    broker = f"{protocol}kafka1.example:9093/bootstrap"
    return f"FAIL [rdkafka#producer-4] [thrd:{broker}]: {broker}: {text}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "SASL authentication error: Authentication failed due to invalid credentials (after 314ms in state AUTH_REQ)",
            "the login",
        ),
        ("SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Request not valid in current SASL state", "sasl.mechanism"),
        ("SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate", "kafka.tls.ca"),
        ("SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener? (after 102ms)", "breaks TLS off"),
        ("Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: SSL alert number 42", "tls.certificate"),
        ("SSL handshake failed: Disconnected: connection reset by peer (after 1ms in state SSL_HANDSHAKE)", "does not agree"),
        ("Failed to resolve 'kafka1.example:9093': Name or service not known (after 5ms in state CONNECT)", "no address"),
        ("Connect to ipv4#10.0.0.1:9093 failed: Connection refused (after 0ms in state CONNECT)", "is not there"),
        ("Connection setup timed out in state CONNECT (after 3000ms in state CONNECT)", "does not answer"),
    ],
)
def test_a_line_gives_the_broker_the_reason_and_the_remedy(text: str, words: str) -> None:
    said = reason(line(text), KafkaSettings(tls=TLS, sasl=SASL))
    assert said is not None
    assert said.startswith("kafka1.example:9093 ")
    assert words in said


def test_a_broker_has_its_plain_name_without_tls_too() -> None:
    said = reason(line("Connect to ipv4#10.0.0.1:9093 failed: Connection refused (after 0ms)", protocol=""), KafkaSettings())
    assert said is not None
    assert said.startswith("kafka1.example:9093 is not there")


HUNG_UP = "Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state APIVERSION_QUERY)"
HUNG_UP_LATER = "Disconnected: SSL connection closed by peer (after 1ms in state UP)"


def test_a_connection_that_is_closed_at_once_was_to_be_another_one() -> None:
    assert "give kafka.tls" in str(reason(line(HUNG_UP, ""), KafkaSettings()))
    assert "give kafka.tls" in str(reason(line(HUNG_UP, "sasl_plaintext://"), KafkaSettings(sasl=SASL)))
    assert "give kafka.sasl" in str(reason(line(HUNG_UP_LATER, "ssl://"), KafkaSettings(tls=TLS)))


@pytest.mark.parametrize(
    "text",
    [
        "Disconnected: SSL connection closed by peer (after 600123ms in state UP)",
        HUNG_UP_LATER,
        "1/1 brokers are down",
    ],
)
def test_what_happens_to_everybody_is_no_reason(text: str) -> None:
    """A broker that ends, or one that closes what nobody uses."""
    assert reason(line(text), KafkaSettings(tls=TLS, sasl=SASL)) is None
    assert reason(text, KafkaSettings()) is None


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("SASL authentication error: Authentication failed due to invalid credentials (after 314ms in state AUTH_REQ)", True),
        ("SASL authentication error: SaslAuthenticateRequest failed: Local: Broker transport failure (after 3ms)", False),
        ("SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: ", True),
        ("SASL PLAIN mechanism handshake failed: Local: Timed out: broker's supported mechanisms:  (after 9ms)", False),
        ("SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate", True),
        ("Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: SSL alert number 42", True),
        ("SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener? (after 102ms)", False),
        ("SSL handshake failed: Disconnected: connection reset by peer (after 1ms in state SSL_HANDSHAKE)", False),
        ("Failed to resolve 'kafka1.example:9093': Name or service not known (after 5ms in state CONNECT)", False),
        ("Connect to ipv4#10.0.0.1:9093 failed: Connection refused (after 0ms in state CONNECT)", False),
        ("Connection setup timed out in state CONNECT (after 3000ms in state CONNECT)", False),
    ],
)
def test_a_refusal_is_what_somebody_has_to_mend(text: str, refused: bool) -> None:
    """What is away may come, and what stands between breaks connections off as well: a balancer with nobody behind it."""
    assert isinstance(reason(line(text), KafkaSettings(tls=TLS, sasl=SASL)), Refusal) == refused
