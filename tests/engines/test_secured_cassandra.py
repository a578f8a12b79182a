"""The engine `cassandra` on a node that asks who is there: TLS, certificates, users and their rights."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from dev.cassandra import DATACENTRE, Cassandra
from dev.secured import HOSTS, Certificate, Secured, User

from esclusa.engines.cassandra import CassandraSettings
from esclusa.engines.cassandra.cassandra import CassandraEngine
from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import CassandraTlsSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageError, StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.testing.exams import KeysExam, RecordsExam, UpkeepExam
from support.impostor import impostor
from support.keyspaces import SOCKETS, Deployed, JumpingClock
from support.sink import Sink

pytestmark = [pytest.mark.real, SOCKETS]

NUMBERS = itertools.count()
TIMEOUT = 5.0
LATE = TIMEOUT + 5.0
"""Seconds after which an error comes late."""
REFUSED = "don't accept each other"


class Place:
    """The node, and what is needed to be let in."""

    def __init__(self, cassandra: Cassandra, secured: Secured) -> None:
        self.cassandra = cassandra
        self.secured = secured
        self.tls = CassandraTlsSettings(ca=str(secured.ca))

    def settings(self, **other: Any) -> CassandraSettings:
        """Of a keyspace that is not there yet, as they have to be but for `other`."""
        user = self.secured.user
        made = CassandraSettings(
            hosts=self.cassandra.addresses,
            keyspace=f"secured_{next(NUMBERS)}",
            replication=1,
            username=user.name,
            password=user.password,
            tls=self.tls,
            timeout=Duration(TIMEOUT),
        )
        return msgspec.structs.replace(made, **other)

    def as_user(self, user: User) -> CassandraSettings:
        return self.settings(username=user.name, password=user.password)

    def showing(self, shown: Certificate, password: str | None = None) -> CassandraTlsSettings:
        return msgspec.structs.replace(self.tls, certificate=str(shown.certificate), key=str(shown.key), password=password)

    @property
    def another(self) -> Secured:
        """Certificates that nobody here trusts."""
        return Secured(self.secured.ca.parent / "another")


@asynccontextmanager
async def served(folder: Path, *, required: bool) -> AsyncIterator[Place]:
    hosts = (*HOSTS, "localhost") if required else HOSTS
    secured = Secured(folder / "secured", required=required, hosts=hosts)
    async with Cassandra(folder, secured=secured) as cassandra:
        yield Place(cassandra, secured)


def node(folder: Path, *, required: bool) -> Iterator[Place]:
    """A node for the tests of a module, which have a loop each."""
    with asyncio.Runner() as runner:
        serving = served(folder, required=required)
        place = runner.run(serving.__aenter__())
        try:
            yield place
        finally:
            runner.run(serving.__aexit__(None, None, None))
            gc.collect()  # while this file's filter of warnings is on


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A node that wants TLS and a login."""
    yield from node(tmp_path_factory.mktemp("cassandra"), required=False)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A node that wants a certificate as well, and has one with a name in it."""
    yield from node(tmp_path_factory.mktemp("strict"), required=True)


async def works(settings: CassandraSettings) -> None:
    """The engine starts, makes what it needs, writes and reads."""
    engine = CassandraEngine(settings, Clock(), Instrument(), skew=1.0)
    await engine.start()
    try:
        await engine.upkeep.check()
        await engine.keys.make(b"k" * 16, b"s" * 32, Clock().millis() + 60_000)
        assert await engine.keys.get(b"k" * 16) == b"s" * 32
    finally:
        await engine.stop()


async def fails(settings: CassandraSettings, error: type[StorageError] = StorageUnavailable) -> str:
    """What the start of the engine ends with, in bounded time; nothing secret is told."""
    heard = Sink()
    async with asyncio.timeout(LATE):
        with pytest.raises(error) as failed:
            await CassandraEngine(settings, Clock(), heard.instrument(), skew=1.0).start()
    told = f"{settings} {failed.value} {failed.value.__cause__} {heard}"
    assert settings.password not in told or not settings.password
    return str(failed.value)


LET_IN: dict[str, Callable[[Place], CassandraSettings]] = {
    "a password": lambda place: place.settings(),
    "an administrator": lambda place: place.as_user(place.secured.admin),
    "a certificate that nobody asks for": lambda place: place.settings(tls=place.showing(place.secured.client)),
    "its datacentre": lambda place: place.settings(datacentre=DATACENTRE),
    "several authorities": lambda place: place.settings(tls=CassandraTlsSettings(ca=str(both(place)))),
    "the name of a host": lambda place: place.settings(hosts=[place.cassandra.addresses[0].replace("127.0.0.1", "localhost")]),
    "the authority alone": lambda place: place.settings(
        tls=CassandraTlsSettings(ca=str(place.secured.ca), identity="authority")
    ),
}


def both(place: Place) -> Path:
    """A file of two authorities, as there is one while an old one is replaced; the one that counts comes last."""
    file = place.secured.ca.with_name("both.pem")
    file.write_text(place.another.ca.read_text() + place.secured.ca.read_text())
    return file


@pytest.mark.parametrize("form", LET_IN)
async def test_who_shows_what_the_node_wants_is_let_in(place: Place, form: str) -> None:
    await works(LET_IN[form](place))


async def test_who_shows_a_certificate_to_a_node_that_wants_one_is_let_in(strict: Place) -> None:
    await works(strict.settings(tls=strict.showing(strict.secured.client)))
    locked = strict.secured.issue("locked", "client.example", name="esclusa", password="open sesame")
    await works(strict.settings(tls=strict.showing(locked, "open sesame")))


async def test_a_node_may_be_known_by_its_name(strict: Place) -> None:
    """The one in `hosts` first, then the one that its address has, as for nodes that are found."""
    tls = msgspec.structs.replace(strict.showing(strict.secured.client), identity="name")
    await works(strict.settings(tls=tls, hosts=[strict.cassandra.addresses[0].replace("127.0.0.1", "localhost")]))


class Examined(RecordsExam, KeysExam, UpkeepExam):
    """The exams, of which some tests are taken."""

    place: ClassVar[Place]

    @asynccontextmanager
    async def deployment(self) -> AsyncIterator[Any]:
        made = Deployed(self.place.settings())
        try:
            yield made
        finally:
            await made.end()

    def clock(self, skew: float = 0.0) -> Clock:
        return JumpingClock(skew=skew)


@pytest.mark.parametrize(
    "name",
    [
        "test_the_lowest_rank_wins_in_every_order",
        "test_of_many_that_add_at_once_one_wins_and_all_are_told_the_same",
        "test_forget_beats_writes_in_the_air_called_before_and_after",
        "test_many_rows_and_large_ones_are_put_together",
        "test_a_key_made_by_one_process_is_readable_by_all",
        "test_check_passes_as_often_as_it_is_asked",
    ],
)
async def test_what_the_exam_asks_for_holds_here_too(place: Place, name: str) -> None:
    Examined.place = place
    await getattr(Examined(), name)()


WRONG = User("esclusa", "a secret that is wrong")
NOBODY = User("nobody", "a secret of nobody")
MISTAKES: dict[str, tuple[Callable[[Place], CassandraSettings], str]] = {
    "a wrong password": (lambda place: place.as_user(WRONG), "the login is refused; look at cassandra.username"),
    "an unknown user": (lambda place: place.as_user(NOBODY), "the login is refused; look at cassandra.username"),
    "no login": (lambda place: place.as_user(User("", "")), "the nodes want a login; give cassandra.username"),
    "another authority": (
        lambda place: place.settings(tls=CassandraTlsSettings(ca=str(place.another.ca))),
        "comes from an authority that is not trusted; look at cassandra.tls.ca",
    ),
    "another name": (
        lambda place: place.settings(tls=CassandraTlsSettings(ca=str(place.secured.ca), identity="name")),
        "is for another one; its address has to be in it",
    ),
    "no TLS": (lambda place: place.settings(tls=None), "they may want TLS: give cassandra.tls"),
    "nobody": (lambda place: place.settings(hosts=["127.0.0.1:1"]), "nobody listens there; look at cassandra.hosts"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_named_with_its_remedy_and_no_secret_is_told(place: Place, mistake: str) -> None:
    made, words = MISTAKES[mistake]
    assert words in await fails(made(place))


@pytest.mark.parametrize("shown", ["none", "of another authority"])
async def test_who_does_not_show_the_certificate_that_is_wanted_is_told_so(strict: Place, shown: str) -> None:
    tls = strict.tls if shown == "none" else strict.showing(strict.another.client)
    assert "look at cassandra.tls.certificate" in await fails(strict.settings(tls=tls))


async def test_a_datacentre_that_is_not_there_is_named(place: Place) -> None:
    said = await fails(place.settings(datacentre="madrid"), StorageError)
    assert said.startswith('no node of Cassandra is in the datacentre "madrid": look at cassandra.datacentre')


async def test_an_expired_certificate_is_refused(place: Place) -> None:
    async with impostor(place.secured.issue("expired", "127.0.0.1", until=datetime(2020, 1, 1, tzinfo=UTC))) as address:
        assert "a node's certificate has expired" in await fails(place.settings(hosts=[address]))


@pytest.mark.parametrize(
    ("identity", "hosts"), [("address", ["127.0.0.9"]), ("address", ["localhost"]), ("name", ["127.0.0.1", "node.example"])]
)
async def test_a_certificate_that_is_for_another_node_is_refused(place: Place, identity: Any, hosts: list[str]) -> None:
    """Whoever has a certificate of the same authority could be any node otherwise; the driver's own default lets him."""
    tls = CassandraTlsSettings(ca=str(place.secured.ca), identity=identity)
    async with impostor(place.secured.issue("elsewhere", *hosts)) as address:
        assert "a node's certificate is for another one" in await fails(place.settings(hosts=[address], tls=tls))


@pytest.mark.parametrize("identity", ["address", "name", "authority"])
async def test_the_right_name_does_not_make_up_for_another_authority(place: Place, identity: Any) -> None:
    tls = CassandraTlsSettings(ca=str(place.secured.ca), identity=identity)
    async with impostor(place.another.issue("untrusted", "127.0.0.1", "localhost")) as address:
        assert "from an authority that is not trusted" in await fails(place.settings(hosts=[address], tls=tls))


async def test_a_nodes_name_is_checked_where_that_is_asked_for(place: Place) -> None:
    """The name as given; nobody answers, since it is no node, but the certificate has been taken."""
    tls = CassandraTlsSettings(ca=str(place.secured.ca), identity="name")
    async with impostor(place.secured.issue("named", "localhost")) as address:
        hosts = [address.replace("127.0.0.1", "localhost")]
        assert "no node of Cassandra can be reached" in await fails(place.settings(hosts=hosts, tls=tls))


async def test_tls_where_there_is_none(tmp_path: Path, place: Place) -> None:
    async with Cassandra(tmp_path) as plain:
        assert "the nodes speak without TLS; leave cassandra.tls out" in await fails(place.settings(hosts=plain.addresses))


async def test_who_has_no_rights_is_told_so(place: Place) -> None:
    settings = place.as_user(place.secured.stranger)
    assert "may not make it" in await fails(settings, StorageError)
    await works(msgspec.structs.replace(place.settings(), keyspace=settings.keyspace))
    session = Session(settings, Instrument())
    await session.open()
    with pytest.raises(StorageUnavailable, match="its user has no right to this"):
        await session.query("SELECT * FROM {keyspace}.records")
    await session.close()
