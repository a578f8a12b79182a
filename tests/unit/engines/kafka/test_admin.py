"""Questions to brokers that don't answer."""

from __future__ import annotations

import concurrent.futures
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from esclusa.engines.kafka.admin import EARLIEST, Admin
from esclusa.engines.kafka.client import Voice, common
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument

NOBODY = KafkaSettings(servers=["127.0.0.1:1"])


class Silent:
    """A client whose questions all time out."""

    def list_consumer_group_offsets(self, asked: list[Any], **_: object) -> dict[str, concurrent.futures.Future[Any]]:
        answer: concurrent.futures.Future[Any] = concurrent.futures.Future()
        answer.set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT)))  # type: ignore[no-untyped-call]  # as it is in the client
        return {one.group_id: answer for one in asked}

    def poll(self, _: float) -> int:
        return 0


async def test_a_client_that_may_go_on_looking_for_a_coordinator_is_let_go() -> None:
    """The process would be aborted when librdkafka 2.16 finds the coordinator of a question that is over."""
    admin = Admin(common(NOBODY), Voice(NOBODY, Instrument()))
    admin._made = cast("Any", Silent())
    with pytest.raises(StorageUnavailable):
        await admin.committed("group", "topic", [0])
    assert admin._made is None


class Unknowing:
    """A client that says no error, and knows nothing: as librdkafka does while partitions change their leaders."""

    def list_offsets(self, asked: dict[Any, Any], **_: object) -> dict[Any, concurrent.futures.Future[Any]]:
        answers = {}
        for place in asked:
            answers[place] = concurrent.futures.Future[Any]()
            answers[place].set_result(SimpleNamespace(offset=-1001))
        return answers


async def test_where_nobody_knows_where_a_partition_stands_that_is_an_error() -> None:
    admin = Admin(common(NOBODY), Voice(NOBODY, Instrument()))
    admin._made = cast("Any", Unknowing())
    with pytest.raises(StorageUnavailable, match="partition 3 of topic"):
        await admin.offsets("topic", [3], EARLIEST)
