"""Questions to the brokers about topics and groups, all of them bounded in time.

Answers come in librdkafka's thread as futures; none of this takes a thread of ours.
"""

# The vendor documents these names where they are imported from, and does not mark them as exported.
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from esclusa.engines.kafka.client import GLANCE, PATIENCE, Config, Voice, code, unavailable
from esclusa.kernel.errors import StorageUnavailable

T = TypeVar("T")
GRACE = 1.0
"""Seconds beyond a request's own limit after which its answer is not waited for."""
COORDINATED = 60.0
"""Seconds that librdkafka gives a question to a group's coordinator, so many more than anybody waits that they never run out.

librdkafka 2.16 goes on looking for the coordinator of a question whose time has run out, and aborts the process when it has
found it: `rd_kafka_admin_coord_request` then frees what `rd_kafka_admin_coord_response_parse` is called with (`eonce->refcnt
> 0`, its issues 3663 and 4605). A client that goes takes its questions with it, and nothing happens: see `_coordinated`.
"""
REFUSED = frozenset((
    KafkaError.INVALID_CONFIG,
    KafkaError.INVALID_REQUEST,
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001 - its public name
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError._INVALID_ARG,  # noqa: SLF001 - its public name
))  # fmt: skip
"""What a broker says that won't have a group's own timeouts."""
STALE = frozenset((
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError._NOENT,  # noqa: SLF001 - its public name
))  # fmt: skip
"""What a broker says to a client that takes another for a partition's leader, or the same one before it was started again.
And what the client says itself where it has heard that a broker is gone, and not yet who leads in its place.

librdkafka 2.16 doesn't look again after these when it is asked for offsets, not even at the next call; a new client does.
"""

NONE = -1
"""The offset of a message that there is not. What librdkafka does not know, though it says no error, is below it."""
EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # as it is in the client
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # as it is in the client


class Admin:
    """An administrative client, and another one for questions to the coordinators of groups; each is made when it is needed."""

    def __init__(self, config: Config, voice: Voice) -> None:
        self._config = config
        self._voice = voice
        self._made: AdminClient | None = None
        self._led: dict[str, int] = {}
        """Topics of which the client knew, when it looked last, who leads each partition; and how many there are."""
        self._coordinating: AdminClient | None = None

    @property
    def _client(self) -> AdminClient:
        if self._made is None:
            self._made, self._led = AdminClient(self._config, logger=self._voice), {}
        return self._made

    @property
    def _coordinators(self) -> AdminClient:
        if self._coordinating is None:
            self._coordinating = AdminClient(self._config, logger=self._voice)
        return self._coordinating

    @contextmanager
    def _coordinated(self) -> Iterator[None]:
        """Around questions to coordinators: if they are given up, the client that asked goes, with the last that still waits."""
        client = self._coordinators
        try:
            yield
        except (StorageUnavailable, asyncio.CancelledError):
            if self._coordinating is client:
                self._coordinating = None
            raise

    async def offsets(self, topic: str, numbers: Iterable[int], spec: OffsetSpec) -> dict[int, int]:
        """An offset of each partition: `EARLIEST`, `LATEST`, or that of the first message made since (-1: there is none)."""
        specs = {TopicPartition(topic, number): spec for number in numbers}
        if not specs:
            return {}
        try:
            answers = await self._offsets(topic, specs)
        except StorageUnavailable as error:
            if error.__cause__ is None or code(error.__cause__) not in STALE:
                raise
            self._made = None
            answers = await self._offsets(topic, specs)
        offsets = {place.partition: answer.offset for place, answer in answers.items()}
        if unknown := [number for number, offset in offsets.items() if offset < NONE]:
            raise StorageUnavailable(f"kafka: nobody can say where partition {unknown[0]} of {topic} begins and ends")
        return offsets

    async def _offsets(self, topic: str, specs: dict[TopicPartition, OffsetSpec]) -> dict[Any, Any]:
        await self._know(topic)
        try:
            return await self._all(self._client.list_offsets(specs, request_timeout=PATIENCE))
        except StorageUnavailable:
            self._led = {}
            raise

    async def _know(self, topic: str) -> None:
        """Have the client know who leads the partitions of a topic before it is asked of them.

        For what it doesn't know, librdkafka 2.16 begins to work on the question in the caller's thread, and goes on in its
        own as soon as anything is heard of topics, even while the caller's is at it: the process crashes, in
        `rd_kafka_topic_partition_list_query_leaders_async_worker`. What it knows, it answers in one go.
        """
        if topic not in self._led:
            await self.topics()

    async def offsets_since(self, topic: str, numbers: Iterable[int], since: int) -> dict[int, int]:
        """Where the first message stands that was made at or after `since` (ms since the epoch); -1 where there is none."""
        return await self.offsets(topic, numbers, EARLIEST if since <= 0 else OffsetSpec.for_timestamp(since))

    async def delete(self, topic: str, below: Mapping[int, int]) -> None:
        """Delete the messages of each partition below an offset."""
        places = [TopicPartition(topic, number, offset) for number, offset in below.items()]
        if places:
            await self._know(topic)
            await self._all(self._client.delete_records(places, request_timeout=PATIENCE))

    async def topics(self) -> dict[str, int]:
        """The number of partitions of every topic that has a leader for each."""
        metadata = await self.metadata()
        self._led = {
            name: len(topic.partitions)
            for name, topic in metadata.topics.items()
            if topic.error is None and all(partition.leader >= 0 for partition in topic.partitions.values())
        }
        return self._led

    async def metadata(self) -> Any:  # confluent_kafka.admin.ClusterMetadata
        """Brokers and topics."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(None, self._client.list_topics, None, GLANCE)
        except KafkaException as error:
            raise unavailable(error, self._reason()) from error

    async def create(self, topics: Iterable[NewTopic]) -> None:
        """Make topics; those that somebody else has made meanwhile are fine."""
        made = list(topics)
        if made:
            await self._all(self._client.create_topics(made, request_timeout=PATIENCE), fine={KafkaError.TOPIC_ALREADY_EXISTS})

    async def grow(self, partitions: Mapping[str, int]) -> None:
        """Add partitions to topics, up to so many."""
        if partitions:
            wanted = [NewPartitions(name, count) for name, count in partitions.items()]
            await self._all(self._client.create_partitions(wanted, request_timeout=PATIENCE))

    async def pace(self, group: str, heartbeat: float, session: float) -> bool:
        """Set how quickly a group of the protocol of KIP-848 sees that a member is dead; whether the brokers have taken it."""
        entries = {"consumer.heartbeat.interval.ms": heartbeat, "consumer.session.timeout.ms": session}
        resource = ConfigResource(
            ConfigResource.Type.GROUP,
            group,
            incremental_configs=[
                ConfigEntry(name, str(int(seconds * 1000)), incremental_operation=AlterConfigOpType.SET)
                for name, seconds in entries.items()
            ],
        )
        try:
            answers = self._client.incremental_alter_configs([resource], request_timeout=PATIENCE)
            for answer in answers.values():
                await self._answer(answer)
        except KafkaException as error:
            if code(error) in REFUSED:
                return False
            raise unavailable(error, self._reason()) from error
        return True

    async def groups(self) -> list[str]:
        """The names of all groups."""
        try:
            listed = await self._answer(self._client.list_consumer_groups(request_timeout=PATIENCE))
        except KafkaException as error:
            raise unavailable(error, self._reason()) from error
        return [group.group_id for group in listed.valid]

    async def committed(self, group: str, topic: str, numbers: Iterable[int]) -> dict[int, int]:
        """What a group has committed, of the partitions of which it has.

        A consumer of that group is asked, which joins nothing. librdkafka 2.16 crashes where an administrative client is asked
        and the group's coordinator has moved: `rd_kafka_handle_OffsetFetch` takes every client for a consumer's.
        """
        places = [TopicPartition(topic, number) for number in numbers]
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(None, self._look_up, group, places)
        except KafkaException as error:
            raise unavailable(error, self._reason()) from error
        return {place.partition: place.offset for place in found if place.offset >= 0}

    def _look_up(self, group: str, places: list[TopicPartition]) -> list[TopicPartition]:
        own = {"group.id": group, "enable.auto.commit": False}
        consumer = Consumer(self._config | own, logger=self._voice)
        try:
            return consumer.committed(places, timeout=GLANCE)
        finally:
            consumer.close()

    async def described(self, topics: Collection[str]) -> dict[str, Any]:  # confluent_kafka.admin.TopicDescription
        """Partitions, copies and rights of each topic; or the number of the error, where there is one."""
        if not topics:
            return {}
        named = TopicCollection(list(topics))
        return await self._each(
            self._client.describe_topics(named, include_authorized_operations=True, request_timeout=PATIENCE)
        )

    async def configured(self, topics: Collection[str]) -> dict[str, Any]:  # dict[str, confluent_kafka.admin.ConfigEntry]
        """How each topic is configured, the brokers' defaults included; or the number of the error, where there is one."""
        resources = {ConfigResource(ConfigResource.Type.TOPIC, name): name for name in topics}
        if not resources:
            return {}
        answers = await self._each(self._client.describe_configs(list(resources), request_timeout=PATIENCE))
        return {resources[resource]: answer for resource, answer in answers.items()}

    async def broker(self, number: int) -> Any:  # dict[str, confluent_kafka.admin.ConfigEntry]
        """How a broker is configured; or the number of the error."""
        resource = ConfigResource(ConfigResource.Type.BROKER, str(number))
        return (await self._each(self._client.describe_configs([resource], request_timeout=PATIENCE)))[resource]

    async def grouped(self, groups: Collection[str]) -> dict[str, Any]:  # confluent_kafka.admin.ConsumerGroupDescription
        """Rights to each group, be it there or not; or the number of the error, where there is one."""
        if not groups:
            return {}
        with self._coordinated():
            return await self._each(
                self._coordinators.describe_consumer_groups(
                    list(groups), include_authorized_operations=True, request_timeout=COORDINATED
                )
            )

    async def _each(self, answers: Mapping[Any, Any]) -> dict[Any, Any]:
        """What has been answered; an error of the brokers' is answered by its number. `StorageUnavailable` if nothing is."""
        found: dict[Any, Any] = {}
        for about, answer in answers.items():
            try:
                found[about] = await self._answer(answer)
            except KafkaException as error:
                found[about] = code(error)
        return found

    async def _all(self, answers: Mapping[Any, Any], fine: Collection[int | None] = ()) -> dict[Any, Any]:
        """What has been answered, but for errors that are fine; any other is `StorageUnavailable`."""
        found = {}
        for about, answer in answers.items():
            try:
                found[about] = await self._answer(answer)
            except KafkaException as error:
                if code(error) not in fine:
                    raise unavailable(error, self._reason()) from error
        return found

    async def _answer(self, future: concurrent.futures.Future[T]) -> T:
        """Wait for it; giving up leaves it to end by itself."""
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(_seen)
        try:
            async with asyncio.timeout(PATIENCE + GRACE):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise unavailable("the brokers don't answer", self._reason()) from None

    def _reason(self) -> str | None:
        """Why the brokers can't be spoken to, if a client has heard of it: these ones' log lines come when they are polled."""
        if self._made is not None:
            self._made.poll(0)
        if self._coordinating is not None:
            self._coordinating.poll(0)
        return self._voice.reason

    def close(self) -> None:
        """Let go."""
        self._made = self._coordinating = None


def _seen(future: asyncio.Future[Any]) -> None:
    """Take note of an error, since whoever asked may have left."""
    if not future.cancelled():
        future.exception()
