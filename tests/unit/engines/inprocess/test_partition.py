"""A partition's tail, and what lies behind it."""

from __future__ import annotations

from esclusa.engines.inprocess.partition import BATCH, BATCH_BYTES, Partition
from esclusa.kernel.message import Message


def messages(first: int, count: int, size: int = 10) -> list[Message]:
    return [Message(offset, 1000 + offset, b"key", bytes(size)) for offset in range(first, first + count)]


class Shelf:
    """An archive: all messages ever, and what was asked of it."""

    def __init__(self, content: list[Message]) -> None:
        self.content = content
        self.fetched: list[tuple[int, int]] = []

    def fetch(self, partition: Partition, position: int, end: int) -> list[Message]:
        assert partition.id == 7
        self.fetched.append((position, end))
        return self.content[position:end][:BATCH]

    def since(self, partition: Partition, made: int, start: int = 0) -> int:
        assert partition.id == 7
        return next((message.offset for message in self.content[start:] if message.made >= made), partition.end)


class Waker:
    """A reader that counts how often it is woken."""

    woken = 0

    def wake(self) -> None:
        self.woken += 1


def test_the_tail_is_bounded_and_what_is_older_comes_from_the_archive() -> None:
    content = messages(0, 1000)
    shelf = Shelf(content)
    partition = Partition(7, 0, shelf, room=100)
    for message in content:
        partition.grow([message])
        assert sum(len(kept.value) for kept in partition.tail) <= 100
    assert partition.fetch(999) == content[999:]
    assert not shelf.fetched, "the newest are in memory"
    came: list[Message] = []
    while len(came) < 1000:
        came += partition.fetch(len(came))
    assert came == content
    assert shelf.fetched[-1][1] == partition.tail[0].offset, "the archive gives what is below the tail, and no more"


def test_without_an_archive_everything_is_kept() -> None:
    partition = Partition(0, 0)
    partition.grow(messages(0, 1000, size=10_000))
    assert len(partition.tail) == 1000
    assert partition.fetch(0)[0].offset == 0


def test_a_batch_is_bounded_in_messages_and_in_bytes() -> None:
    small, large = Partition(0, 0), Partition(0, 0)
    small.grow(messages(0, BATCH + 10))
    large.grow(messages(0, 10, size=BATCH_BYTES // 2))
    assert len(small.fetch(0)) == BATCH
    assert len(large.fetch(0)) == 2
    assert len(large.fetch(9)) == 1


def test_a_message_larger_than_a_batch_comes_alone() -> None:
    partition = Partition(0, 0)
    partition.grow(messages(0, 3, size=BATCH_BYTES * 2))
    assert [len(partition.fetch(position)) for position in range(4)] == [1, 1, 1, 0]


def test_nothing_is_given_beyond_an_end() -> None:
    partition = Partition(0, 0)
    partition.grow(messages(0, 10))
    assert [message.offset for message in partition.fetch(3, 6)] == [3, 4, 5]
    assert partition.fetch(6, 6) == []
    assert len(partition.fetch(8, 100)) == 2


def test_what_is_dropped_is_gone_and_readers_go_on_behind_it() -> None:
    partition = Partition(0, 0)
    partition.grow(messages(0, 10))
    assert partition.drop(4) == 40
    assert partition.drop(2) == 0
    assert partition.start == 4
    assert partition.fetch(0)[0].offset == 4
    assert partition.drop(10) == 60
    assert partition.fetch(0) == []
    assert (partition.start, partition.end) == (10, 10)


def test_dropping_what_is_below_the_tail_leaves_the_tail() -> None:
    content = messages(0, 100)
    partition = Partition(7, 0, Shelf(content), room=100)
    partition.grow(content)
    first = partition.tail[0].offset
    assert partition.drop(first - 5) == 0
    assert partition.tail[0].offset == first
    partition.drop(first + 1)
    assert partition.fetch(first + 1)[0].offset == first + 1


def test_since_finds_the_first_message_made_then_or_later() -> None:
    partition = Partition(0, 0)
    partition.grow([Message(0, 50, b"", b""), Message(1, 20, b"", b""), Message(2, 60, b"", b"")])
    assert [partition.since(made) for made in (0, 50, 51, 61)] == [0, 0, 2, 3]
    assert [partition.since(50, start) for start in (0, 1, 2, 3, 9)] == [0, 2, 2, 3, 3]
    content = messages(0, 10)
    archived = Partition(7, 0, Shelf(content), room=0)
    archived.grow(content)
    assert (archived.since(1004), archived.since(1004, 7)) == (4, 7)


def test_readers_are_woken_when_it_grows() -> None:
    partition, reader = Partition(7, 0, Shelf(messages(0, 10))), Waker()
    partition.readers.add(reader)
    partition.grow(messages(0, 1))
    partition.grow(messages(1, 1))
    assert reader.woken == 2


def test_a_restart_takes_what_the_archive_holds_and_wakes_readers_only_if_that_is_more() -> None:
    partition, reader = Partition(7, 0, Shelf(messages(0, 10)), room=100), Waker()
    partition.readers.add(reader)
    partition.restart(2, 8, peak=5)
    assert (partition.start, partition.end, partition.peak, reader.woken) == (2, 8, 5, 1)
    partition.restart(2, 8, peak=5)
    assert reader.woken == 1
    assert [message.offset for message in partition.fetch(0)] == [2, 3, 4, 5, 6, 7]


def test_the_peak_never_goes_back() -> None:
    partition = Partition(0, 0)
    partition.grow([Message(0, 50, b"", b""), Message(1, 20, b"", b"")])
    assert partition.peak == 50
