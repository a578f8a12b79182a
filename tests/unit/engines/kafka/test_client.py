"""What the brokers' client is told, and what becomes of what it says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from confluent_kafka import KafkaError

from esclusa.engines.kafka.client import FRESH, QUIET, RARELY, Voice, common, unavailable
from esclusa.engines.kafka.settings import KafkaSettings, SaslSettings
from esclusa.engines.kafka.trouble import Refusal
from esclusa.kernel.errors import StorageRefused
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.settings import TlsSettings

REFUSED = (
    "FAIL [thrd:sasl_ssl://kafka:9093/1]: sasl_ssl://kafka:9093/1: SASL authentication error: no (after 1ms in state AUTH_REQ)"
)
CLOSED = "FAIL [thrd:kafka:9093/1]: kafka:9093/1: Disconnected: connection closed by peer (after 1ms in state APIVERSION_QUERY)"


def test_of_tls_and_login_a_client_is_told_what_is_given() -> None:
    assert common(KafkaSettings())["security.protocol"] == "PLAINTEXT"
    tls = common(KafkaSettings(tls=TlsSettings(certificate="own.pem", key="own.key", password="open sesame")))
    assert tls["security.protocol"] == "SSL"
    assert "ssl.ca.location" not in tls
    assert tls["ssl.key.password"] == "open sesame"
    sasl = SaslSettings(username="esclusa", password="open sesame")
    assert common(KafkaSettings(sasl=sasl))["security.protocol"] == "SASL_PLAINTEXT"
    assert common(KafkaSettings(sasl=sasl, tls=TlsSettings(ca="ca.pem")))["security.protocol"] == "SASL_SSL"


def test_the_names_of_brokers_are_always_checked() -> None:
    assert common(KafkaSettings(tls=TlsSettings()))["ssl.endpoint.identification.algorithm"] == "https"


class Said:
    """A voice, and what it told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.voice = Voice(KafkaSettings(), Instrument(self._take, Level.WARN))

    def _take(self, _: Level, __: str, facts: dict[str, Any]) -> None:
        self.lines.append(facts)


@pytest.mark.virtual_time
async def test_a_line_is_told_with_its_reason_and_not_over_and_over() -> None:
    said = Said()
    for _ in range(3):
        said.voice.error(REFUSED)
    await asyncio.sleep(0)
    (line,) = said.lines
    assert line["said"] == REFUSED
    assert "refuses the login" in line["reason"]
    await asyncio.sleep(QUIET)
    said.voice.error(REFUSED)
    await asyncio.sleep(0)
    assert len(said.lines) == 2


@pytest.mark.virtual_time
async def test_what_is_said_for_hours_is_told_ever_more_seldom_and_at_once_when_it_comes_anew() -> None:
    said = Said()
    for _ in range(4 * 3600):
        said.voice.error(REFUSED)
        await asyncio.sleep(1)
    assert len(said.lines) < 6 + 4 * 3600 / RARELY + 1
    await asyncio.sleep(2 * RARELY)
    before = len(said.lines)
    for _ in range(round(QUIET) + 2):
        said.voice.error(REFUSED)
        await asyncio.sleep(1)
    assert len(said.lines) == before + 2


@pytest.mark.virtual_time
async def test_a_note_is_not_told_but_may_hold_the_reason_for_as_long_as_it_is_fresh() -> None:
    said = Said()
    assert said.voice.reason is None
    said.voice.info(CLOSED)
    await asyncio.sleep(FRESH / 2)
    assert said.lines == []
    assert "give kafka.tls" in str(said.voice.reason)
    await asyncio.sleep(FRESH)
    assert said.voice.reason is None


def test_the_reason_is_told_where_an_error_says_no_more_than_that_nobody_answers() -> None:
    away, wrong = KafkaError(KafkaError._MSG_TIMED_OUT), KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    assert str(unavailable(away, "kafka:9093 is not there")) == "kafka: MSG_TIMED_OUT: kafka:9093 is not there"
    assert "kafka:9093" not in str(unavailable(wrong, "kafka:9093 is not there"))
    assert str(unavailable("the brokers don't answer", "kafka:9093 is not there")) == "kafka: kafka:9093 is not there"
    assert str(unavailable("the brokers don't answer")) == "kafka: the brokers don't answer"


def test_who_has_no_right_is_told_where_to_get_it() -> None:
    assert "esclusa setup --print" in str(unavailable(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)))


def test_a_refusal_is_told_from_what_may_pass() -> None:
    away = KafkaError(KafkaError._ALL_BROKERS_DOWN)
    assert isinstance(unavailable(away, Refusal("kafka:9093 refuses the login")), StorageRefused)
    assert isinstance(unavailable("the brokers don't answer", Refusal("kafka:9093 refuses the login")), StorageRefused)
    assert isinstance(unavailable(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)), StorageRefused)
    for passing in (unavailable(away, "kafka:9093 is not there"), unavailable(away), unavailable("the brokers don't answer")):
        assert not isinstance(passing, StorageRefused)
    other = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    assert not isinstance(unavailable(other, Refusal("kafka:9093 refuses the login")), StorageRefused)
