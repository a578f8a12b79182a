"""The engine `cassandra`, by the exams of the ports, on one real node."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from typing import Any

import msgspec
import pytest
from acsylla import errors as driver
from dev.cassandra import Cassandra
from dev.cluster import free_ports

from esclusa.engines.cassandra import CassandraSettings, session
from esclusa.engines.cassandra.cassandra import CassandraEngine
from esclusa.engines.cassandra.errors import kind, unavailable
from esclusa.engines.cassandra.settings import LONGEST, CassandraTlsSettings, contact
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError, StorageTooNew, StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.ports.records import Row
from esclusa.testing.exams import KeysExam, RecordsExam, UpkeepExam
from support.disk import copied, found
from support.keyspaces import SOCKETS, Deployed, OnCassandra, on
from support.poll import until

pytestmark = [pytest.mark.real, SOCKETS]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cassandra]:
    """One node for all tests of this file."""
    with asyncio.Runner() as runner:
        cassandra = Cassandra(tmp_path_factory.mktemp("cassandra"))
        runner.run(cassandra.start())
        try:
            yield cassandra
        finally:
            runner.run(cassandra.stop())
            gc.collect()  # while this file's filter of warnings is on


@pytest.fixture
def settings(cluster: Cassandra) -> CassandraSettings:
    """Of a keyspace that is not there yet."""
    return on(cluster)


class TestRecords(OnCassandra, RecordsExam):
    """The records."""


class TestKeys(OnCassandra, KeysExam):
    """The keys."""


class TestUpkeep(OnCassandra):
    """Administration: what there is of it without a log."""

    test_check_passes_as_often_as_it_is_asked = UpkeepExam.test_check_passes_as_often_as_it_is_asked
    test_several_processes_at_a_time = UpkeepExam.test_one_process_at_a_time_unless_several_are_declared


class Quorate(Deployed):
    """Processes that read as they do where there are several replicas."""

    async def process(self, clock: Clock) -> CassandraEngine:
        engine = await super().process(clock)
        engine.records._twice = True
        return engine


class TestReadsOfSeveralReplicas(OnCassandra):
    """The records, looked at twice."""

    deployed = Quorate
    test_bodies_come_as_they_are_asked_for = RecordsExam.test_bodies_come_as_they_are_asked_for
    test_a_read_is_of_one_moment = RecordsExam.test_a_read_is_of_one_moment
    test_a_read_sees_every_write_acknowledged_before_it = RecordsExam.test_a_read_sees_every_write_acknowledged_before_it


async def started(settings: CassandraSettings) -> CassandraEngine:
    engine = CassandraEngine(settings, Clock(), Instrument(), skew=1.0)
    await engine.start()
    return engine


async def refused(error: type[StorageError], settings: CassandraSettings) -> str:
    """In which words a start ends."""
    with pytest.raises(error) as raised:
        await started(settings)
    return str(raised.value)


async def test_processes_that_start_at_once_make_one_keyspace(settings: CassandraSettings) -> None:
    engines = await asyncio.gather(*[started(settings) for _ in range(4)])
    for number, engine in enumerate(engines):
        await engine.upkeep.setup([])
        await engine.records.put(b"key", [Row(f"{number}", b"", b"", Clock().millis() + 60_000)])
    for engine in engines:
        assert [row.name for row in await engine.records.read(b"key")] == ["0", "1", "2", "3"]
        await engine.stop()


async def test_a_keyspace_of_a_newer_version_is_refused(settings: CassandraSettings) -> None:
    engine = await started(settings)
    await engine._session.query("INSERT INTO {keyspace}.esclusa (name, value) VALUES ('version', 99) USING TIMESTAMP 99")
    await engine.stop()
    assert "newer version" in await refused(StorageTooNew, settings)


async def test_settings_that_can_not_be_kept_are_refused_with_the_remedy(settings: CassandraSettings) -> None:
    engine = await started(settings)
    await engine.stop()
    assert "3 or more, or 1" in await refused(StorageError, msgspec.structs.replace(settings, replication=2))
    assert "1 replicas" in await refused(StorageError, msgspec.structs.replace(settings, replication=3))
    assert "several ports" in await refused(StorageError, msgspec.structs.replace(settings, hosts=["a:1", "b:2"]))
    assert "neither" in await refused(StorageError, msgspec.structs.replace(settings, hosts=["a:b"]))
    half = CassandraTlsSettings(ca="a.pem", certificate="a.pem")
    assert "cassandra.tls.key" in await refused(StorageError, msgspec.structs.replace(settings, tls=half))
    absent = msgspec.structs.replace(settings, tls=CassandraTlsSettings(ca="absent.pem"))
    assert "absent.pem" in await refused(StorageError, absent)


async def test_where_nobody_listens_it_says_so_at_once() -> None:
    (port,) = free_ports(1)
    nobody = CassandraSettings(hosts=[f"127.0.0.1:{port}"], replication=1, username="esclusa", password="secret")
    assert "no node" in await refused(StorageUnavailable, nobody)


async def test_what_is_on_its_way_is_bounded(settings: CassandraSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = await started(settings)
    expires = Clock().millis() + 60_000
    for limit, most, taken in (("MOST", 3, 3), ("MOST_BYTES", 100_000, 1)):
        with monkeypatch.context() as patched:
            patched.setattr(session, limit, most)
            puts = [engine.records.put(b"key", [Row(f"{number}", b"", bytes(200_000), expires)]) for number in range(5)]
            ends = await asyncio.gather(*puts, return_exceptions=True)
            assert [type(end) for end in ends] == [type(None)] * taken + [StorageUnavailable] * (5 - taken)
    assert engine._session.bytes == 0
    await engine.stop()


async def test_a_body_comes_with_its_own_head(settings: CassandraSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, expires = await started(settings), Clock().millis() + 60_000
    records, look, read = engine.records, engine.records._look, asyncio.Event()
    await records.put(b"key", [Row("a", b"old", b"old", expires, rank=1)])

    async def late(prepared: Any, *values: Any) -> list[tuple[Any, ...]]:
        if prepared is records._some:
            await read.wait()
            await records.put(b"key", [Row("a", b"new", b"new", expires)])
        found = await look(prepared, *values)
        if prepared is records._heads:
            read.set()
        return found

    monkeypatch.setattr(records, "_look", late)
    assert await records.read(b"key", {"a"}) == [Row("a", b"new", b"new", expires)]
    await engine.stop()


async def test_of_several_replicas_two_looks_have_to_agree(
    settings: CassandraSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, expires = await started(settings), Clock().millis() + 60_000
    records, look = engine.records, engine.records._look
    records._twice = True
    rows = [Row("a", b"", b"", expires), Row("b", b"", b"", expires)]
    await records.put(b"key", rows[:1])
    looks: list[Any] = []

    async def noted(prepared: Any, *values: Any) -> list[tuple[Any, ...]]:
        if len(looks) == 1:
            await records.put(b"key", rows)
        looks.append(prepared)
        return await look(prepared, *values)

    monkeypatch.setattr(records, "_look", noted)
    assert await records.read(b"key", bodies=False) == rows
    assert looks == [records._ranks, records._heads, records._heads]
    await engine.stop()


async def test_an_add_that_nobody_knows_the_end_of_is_tried_again(
    settings: CassandraSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, expires = await started(settings), Clock().millis() + 60_000
    connected, tries = engine._session._connected(), count(1)

    class Doubtful:
        """Says of what it has done that it doesn't know whether it is done, but for every third time."""

        async def execute(self, statement: Any) -> Any:
            result = await connected.execute(statement)
            if next(tries) % 3:
                raise driver.CassErrorServerWriteTimeout
            return result

    with monkeypatch.context() as patched:
        patched.setattr(engine._session, "_connected", Doubtful)
        mine, others = Row("one", b"", b"mine", expires), Row("one", b"", b"others", expires)
        assert await engine.records.add(b"key", mine) == mine
        assert await engine.records.add(b"key", others) == mine
    assert await engine.records.read(b"key") == [mine]
    assert next(tries) == 7
    await engine.stop()


async def test_a_row_lives_no_longer_than_a_tombstone(settings: CassandraSettings) -> None:
    engine = await started(settings)
    late = Clock().millis() + (LONGEST + 100) * 1000
    for write in (engine.records.put(b"key", [Row("name", b"", b"", late)]), engine.records.forget(b"key", late)):
        with pytest.raises(StorageError, match="24 hours"):
            await write
    await engine.stop()


async def test_a_destroyed_key_leaves_the_disk_within_seconds(cluster: Cassandra, settings: CassandraSettings) -> None:
    engine, clock = await started(settings), Clock()
    *dead, alive = [blake2b(b"%d" % number, digest_size=32).digest() for number in range(4)]  # nothing to compress
    dies = clock.millis() + 4000
    for number, secret in enumerate(dead):
        await engine.keys.make(bytes([number]) * 16, secret, dies)
    await engine.keys.make(bytes(16)[:15] + b"a", alive, clock.millis() + 600_000)

    async def stored() -> set[bytes]:
        return found((*dead, alive), copied(cluster._folder))

    async def all_stored() -> bool:
        return len(await stored()) == 4

    async def destroyed() -> bool:
        return await engine.keys.destroy(clock.millis()) > 0

    async def only_the_living_one() -> bool:
        return await stored() == {alive}

    await until(all_stored, seconds=3.9)
    await until(destroyed)
    await until(only_the_living_one, seconds=15)
    assert await engine.keys.get(bytes(16)[:15] + b"a") == alive
    await engine.stop()


def test_every_error_of_the_driver_has_words_that_give_nothing_away() -> None:
    said = [cls("user:secret@host") for cls in vars(driver).values() if isinstance(cls, type) and issubclass(cls, Exception)]
    assert len(said) > 50
    for error in said:
        translated = unavailable(error)
        assert translated.__cause__ is error
        assert "secret" not in str(translated)
    assert kind(driver.CassErrorSslInvalidPeerCert()) == "refused"
    assert kind(driver.CassErrorLibRequestTimedOut()) == "timeout"


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [("node", "node", 9042), ("node:1", "node", 1), ("::1", "::1", 9042), ("[::1]", "::1", 9042), ("[::1]:7", "::1", 7)],
)
def test_a_host_may_have_a_port(host: str, name: str, port: int) -> None:
    assert contact([host]) == ([name], port)
