"""Questions to brokers that don't answer."""

from __future__ import annotations

import asyncio
import concurrent.futures
import weakref
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from esclusa.engines.kafka.admin import EARLIEST, GRACE, Admin
from esclusa.engines.kafka.client import PATIENCE, Voice, common
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument

NOBODY = KafkaSettings(servers=["127.0.0.1:1"])


class Silent:
    """A client whose questions to coordinators are never answered."""

    def __init__(self) -> None:
        self.limits: list[float] = []
        """Seconds that librdkafka gives each of them."""

    def describe_consumer_groups(
        self, groups: list[str], *, request_timeout: float, **_: object
    ) -> dict[str, concurrent.futures.Future[Any]]:
        self.limits.append(request_timeout)
        return {group: concurrent.futures.Future() for group in groups}

    def poll(self, _: float) -> int:
        return 0


def coordinated(monkeypatch: pytest.MonkeyPatch, *, patience: float = PATIENCE) -> tuple[Admin, weakref.ref[Silent]]:
    """An admin whose questions to coordinators go to a silent client that nobody else has; `patience`: seconds."""
    monkeypatch.setattr("esclusa.engines.kafka.admin.PATIENCE", patience)
    monkeypatch.setattr("esclusa.engines.kafka.admin.GRACE", 0.0)
    admin, silent = Admin(common(NOBODY), Voice(NOBODY, Instrument())), Silent()
    admin._coordinating = cast("Any", silent)
    return admin, weakref.ref(silent)


async def test_a_question_to_a_coordinator_is_given_up_by_us_and_the_client_that_asked_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process would be aborted when librdkafka 2.16 finds the coordinator of a question whose time it saw run out."""
    admin, silent = coordinated(monkeypatch, patience=0.01)
    with pytest.raises(StorageUnavailable) as raised:
        await admin.grouped(["group"])
    assert silent() is None, "something keeps the client alive, such as the traceback of the error"
    assert raised.value is not None


async def test_a_question_to_a_coordinator_that_is_cancelled_takes_the_client_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin, silent = coordinated(monkeypatch)
    asking, waiting = (asyncio.ensure_future(admin.grouped(["group"])) for _ in range(2))
    await asyncio.sleep(0)
    assert [seconds > 10 * (PATIENCE + GRACE) for seconds in limits(silent)] == [True, True], "they never run out"
    asking.cancel()
    await asyncio.wait([asking])
    assert silent() is not None, "another question still waits for this one"
    waiting.cancel()
    await asyncio.wait([waiting])
    assert silent() is None


def limits(silent: weakref.ref[Silent]) -> list[float]:
    client = silent()
    return [] if client is None else client.limits


async def test_what_a_group_has_committed_is_asked_by_a_consumer_that_ends_whatever_comes_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An administrative client of librdkafka 2.16 crashes the process when the group's coordinator has moved."""
    begun: list[dict[str, Any]] = []
    closed = 0

    class Asked:
        def __init__(self, config: dict[str, Any], **_: object) -> None:
            begun.append(config)

        def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
            assert 0 < timeout < PATIENCE
            if begun[-1]["group.id"] == "gone":
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            known = {0: 7, 1: -1001}
            return [TopicPartition(place.topic, place.partition, known[place.partition]) for place in places]

        def close(self) -> None:
            nonlocal closed
            closed += 1

    monkeypatch.setattr("esclusa.engines.kafka.admin.Consumer", Asked)
    admin = Admin(common(NOBODY), Voice(NOBODY, Instrument()))
    assert await admin.committed("group", "topic", [0, 1]) == {0: 7}
    with pytest.raises(StorageUnavailable):
        await admin.committed("gone", "topic", [0])
    assert [config["enable.auto.commit"] for config in begun] == [False, False]
    assert closed == 2


class Unknowing:
    """A client that says no error, and knows nothing: as librdkafka does while partitions change their leaders."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def list_topics(self, *_: object) -> Any:
        self.calls.append("look")
        led = SimpleNamespace(error=None, partitions={3: SimpleNamespace(leader=1)})
        return SimpleNamespace(topics={"topic": led})

    def list_offsets(self, specs: dict[Any, Any], **_: object) -> dict[Any, concurrent.futures.Future[Any]]:
        self.calls.append("ask")
        answers = {}
        for place in specs:
            answers[place] = concurrent.futures.Future[Any]()
            answers[place].set_result(SimpleNamespace(offset=-1001))
        return answers


async def test_where_nobody_knows_where_a_partition_stands_that_is_an_error() -> None:
    admin = Admin(common(NOBODY), Voice(NOBODY, Instrument()))
    admin._made = cast("Any", Unknowing())
    with pytest.raises(StorageUnavailable, match="partition 3 of topic"):
        await admin.offsets("topic", [3], EARLIEST)


@pytest.mark.parametrize("said", [KafkaError._NOENT, KafkaError.NOT_LEADER_FOR_PARTITION])
async def test_where_a_client_has_lost_track_of_leaders_another_one_is_asked(
    monkeypatch: pytest.MonkeyPatch, said: int
) -> None:
    class Lost(Unknowing):
        def poll(self, _: float) -> int:
            return 0

        def list_offsets(self, specs: dict[Any, Any], **_: object) -> dict[Any, concurrent.futures.Future[Any]]:
            answers = {place: concurrent.futures.Future[Any]() for place in specs}
            for answer in answers.values():
                answer.set_exception(KafkaException(KafkaError(said)))
            return answers

    class Knowing(Unknowing):
        def list_offsets(self, specs: dict[Any, Any], **_: object) -> dict[Any, concurrent.futures.Future[Any]]:
            answers = {place: concurrent.futures.Future[Any]() for place in specs}
            for answer in answers.values():
                answer.set_result(SimpleNamespace(offset=7))
            return answers

    monkeypatch.setattr("esclusa.engines.kafka.admin.AdminClient", lambda *_, **__: Knowing())
    admin = Admin(common(NOBODY), Voice(NOBODY, Instrument()))
    admin._made = cast("Any", Lost())
    assert await admin.offsets("topic", [3], EARLIEST) == {3: 7}


async def test_who_leads_partitions_is_looked_up_before_the_first_question_about_them() -> None:
    """The process crashes when librdkafka 2.16 hears of topics while it is asked about partitions whose leaders it doesn't know."""
    admin, client = Admin(common(NOBODY), Voice(NOBODY, Instrument())), Unknowing()
    admin._made = cast("Any", client)
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            await admin.offsets("topic", [3], EARLIEST)
    assert client.calls == ["look", "ask", "ask"]
    with pytest.raises(StorageUnavailable):
        await admin.offsets("other", [3], EARLIEST)
    assert client.calls[3:] == ["look", "ask"]
