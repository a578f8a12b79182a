"""The topics of an engine: those with partitions and groups, and those that are broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from esclusa.engines.inprocess.group import Group
from esclusa.engines.inprocess.partition import Partition
from esclusa.kernel.errors import StorageError, StorageUnavailable
from esclusa.kernel.message import Message
from esclusa.ports.log import Topic, partition_of


class Hearer(Protocol):
    """A listener of a broadcast topic, as the topic sees it."""

    def hear(self, partition: int, message: Message) -> None:
        """A message for whoever listens."""


class Channel:
    """A broadcast topic: a message goes to who listens at that moment, and is kept nowhere."""

    def __init__(self, declared: Topic) -> None:
        self.declared = declared
        self.hearers: dict[Hearer, None] = {}
        self.ends = [0] * declared.partitions

    def publish(self, made: int, key: bytes, value: bytes) -> int:
        """Hand a message to everybody who listens; its offset."""
        number = partition_of(key, len(self.ends))
        message = Message(self.ends[number], made, key, value)
        self.ends[number] += 1
        for hearer in self.hearers:
            hearer.hear(number, message)
        return message.offset


class Kept:
    """A topic with partitions, and the groups that read it."""

    def __init__(self, declared: Topic, partitions: list[Partition]) -> None:
        self.declared = declared
        self.partitions = partitions
        self.groups: dict[str, Group] = {}

    def group(self, name: str) -> Group:
        """The group `name`; a new one starts at the earliest message kept."""
        if name not in self.groups:
            self.groups[name] = Group(name, self.partitions)
        return self.groups[name]

    def grow(self, declared: Topic, added: list[Partition]) -> None:
        """Declare it anew, with `added` partitions."""
        self.declared = declared
        self.partitions += added
        for group in self.groups.values():
            group.balance()


class Topics:
    """Every topic that has been set up, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._channels: dict[str, Channel] = {}

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept.values())

    def find(self, name: str) -> Kept | None:
        """The topic with partitions, if it has been set up."""
        return self._kept.get(name)

    def kept(self, topic: Topic) -> Kept:
        """The topic with partitions; `StorageUnavailable` if it has not been set up."""
        kept = self._kept.get(topic.name)
        if kept is None:
            raise StorageUnavailable(f"topic {topic.name!r} has not been set up")
        return kept

    def partition(self, topic: Topic, number: int) -> Partition:
        """Partition `number` of `topic`."""
        return self.kept(topic).partitions[number]

    def channel(self, topic: Topic) -> Channel:
        """The broadcast topic; `StorageUnavailable` if it has not been set up."""
        channel = self._channels.get(topic.name)
        if channel is None:
            raise StorageUnavailable(f"broadcast topic {topic.name!r} has not been set up")
        return channel

    def missing(self, topic: Topic) -> int:
        """How many partitions `topic` lacks of those declared.

        `StorageError` if it has more, which can't be undone, or holds messages: with more partitions, keys would stand in
        others from then on, and who reads would find in one what belongs with what is in another.
        """
        kept = self._kept.get(topic.name)
        there = 0 if kept is None else len(kept.partitions)
        if topic.partitions < there:
            raise StorageError(
                f"topic {topic.name!r} has {there} partitions and can't go back to {topic.partitions}: "
                f"set `[pools.NAME] partitions` back to {there}, or start with an empty data folder"
            )
        if kept is not None and topic.partitions > there and any(each.start < each.end for each in kept.partitions):
            raise StorageError(
                f"topic {topic.name!r} has {there} partitions and holds messages, so it can't have {topic.partitions} now: "
                f"set `[pools.NAME] partitions` back to {there} until what it holds has been deleted "
                f"({kept.declared.keep:g} s after the last message), or start with an empty data folder"
            )
        return topic.partitions - there

    def declare(self, topic: Topic, added: list[Partition]) -> Kept:
        """Take note that `topic` is set up, with `added` partitions beside those that it had."""
        kept = self._kept.get(topic.name)
        if kept is None:
            kept = self._kept[topic.name] = Kept(topic, added)
        else:
            kept.grow(topic, added)
        return kept

    def announce(self, topic: Topic) -> None:
        """Take note that the broadcast `topic` is set up. `StorageError` if it holds messages, or has other partitions."""
        if topic.name in self._kept:
            raise StorageError(f"topic {topic.name!r} holds messages and can't become a broadcast one: give it another name")
        self._channels.setdefault(topic.name, Channel(topic))
