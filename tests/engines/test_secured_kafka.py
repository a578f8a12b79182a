"""The engine `kafka` on a broker that asks who is there: TLS, certificates, users and their rights."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import pytest
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient, ResourceType
from confluent_kafka.admin import ResourcePatternType as Pattern
from dev.kafka import Kafka
from dev.secured import Secured, User

from esclusa.engines.kafka import KafkaSettings
from esclusa.engines.kafka.client import PATIENCE, common
from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import SaslSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError, StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.settings import TlsSettings
from esclusa.ports.log import Assigned, Delivered, Topic
from esclusa.testing.exams import LogExam, UpkeepExam
from support.impostor import impostor
from support.poll import until
from support.prefixes import Deployed
from support.sink import Sink

pytestmark = pytest.mark.real

NAMES = itertools.count()
TOPIC = Topic("letters", 2, keep=600.0)
LATE = PATIENCE + 2.0
"""Seconds after which an error comes late."""


class Place:
    """The broker, and what is needed to be let in."""

    def __init__(self, kafka: Kafka, secured: Secured) -> None:
        self.kafka = kafka
        self.secured = secured
        self.tls = TlsSettings(ca=str(secured.ca))
        self.shown = TlsSettings(ca=str(secured.ca), certificate=str(secured.client.certificate), key=str(secured.client.key))

    def login(self, mechanism: Any = "SCRAM-SHA-512", user: User | None = None) -> SaslSettings:
        who = user or self.secured.user
        return SaslSettings(mechanism=mechanism, username=who.name, password=who.password)

    def settings(self, protocol: str, tls: TlsSettings | None, sasl: SaslSettings | None) -> KafkaSettings:
        """Of a deployment with names of its own."""
        prefix = f"{self.secured.prefix}{next(NAMES)}."
        return KafkaSettings(servers=self.kafka.listeners[protocol], prefix=prefix, tls=tls, sasl=sasl)

    @property
    def secrets(self) -> list[str]:
        """What nobody may read."""
        return [user.password for user in self.secured.users]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One broker for all tests of this file."""
    folder = tmp_path_factory.mktemp("kafka")
    with asyncio.Runner() as runner:
        secured = Secured(folder / "secured")
        kafka = Kafka(folder, secured=secured)
        runner.run(kafka.start())
        try:
            yield Place(kafka, secured)
        finally:
            runner.run(kafka.stop())


@asynccontextmanager
async def engine(settings: KafkaSettings, heard: Sink | None = None) -> AsyncIterator[KafkaEngine]:
    """The engine, started."""
    made = KafkaEngine(settings, Clock(), heard.instrument() if heard is not None else Instrument())
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


FORMS: dict[str, Callable[[Place], KafkaSettings]] = {
    "PLAIN": lambda place: place.settings("SASL_SSL", place.tls, place.login("PLAIN")),
    "SCRAM-SHA-256": lambda place: place.settings("SASL_SSL", place.tls, place.login("SCRAM-SHA-256")),
    "SCRAM-SHA-512": lambda place: place.settings("SASL_SSL", place.tls, place.login("SCRAM-SHA-512")),
    "without TLS": lambda place: place.settings("SASL_PLAINTEXT", None, place.login()),
    "a certificate": lambda place: place.settings("SSL", place.shown, None),
    "a certificate and a password": lambda place: place.settings("SASL_SSL", place.shown, place.login()),
}


@pytest.mark.parametrize("form", FORMS)
async def test_every_client_is_let_in(place: Place, form: str) -> None:
    """Producer, group member, fetcher, reader and administrator; with no more rights than the how-to says."""
    async with engine(FORMS[form](place)) as process:
        await process.upkeep.setup([TOPIC])
        sent = [bytes([number]) for number in range(10)]
        await asyncio.gather(*[process.log.append(TOPIC, value, value) for value in sent])
        member = await process.log.subscribe(TOPIC, "readers")
        came: list[bytes] = []
        while len(came) < len(sent):
            event = await member.receive()
            assert isinstance(event, Assigned | Delivered)
            if isinstance(event, Delivered):
                came += [message.value for message in event.messages]
                await member.commit(event.partition, event.messages[-1].offset + 1)
        assert sorted(came) == sent
        assert sum(lag.end - lag.committed for lag in await process.upkeep.lag([TOPIC])) == 0
        ends = [await process.log.end(TOPIC, number) for number in range(2)]
        read = [batch for number in range(2) async for batch in process.log.read(TOPIC, number, 0, ends[number])]
        assert sorted(message.value for batch in read for message in batch) == sent
        await process.upkeep.check()
        assert (await process.upkeep.sweep(Clock().millis())).deleted == 0


async def test_a_key_may_have_a_password(place: Place) -> None:
    locked = place.secured.issue("locked", "client.example", name=place.secured.user.name, password="open sesame")
    tls = TlsSettings(
        ca=str(place.secured.ca), certificate=str(locked.certificate), key=str(locked.key), password="open sesame"
    )
    async with engine(place.settings("SSL", tls, None)) as process:
        await process.upkeep.setup([TOPIC])


class Examined(LogExam, UpkeepExam):
    """Both exams, of which some tests are taken."""

    place: ClassVar[Place]

    @asynccontextmanager
    async def deployment(self) -> AsyncIterator[Any]:
        made = Deployed(FORMS["SCRAM-SHA-512"](self.place))
        try:
            yield made
        finally:
            made.end()

    def clock(self, skew: float = 0.0) -> Clock:
        return Clock(skew=skew)


@pytest.mark.parametrize(
    "name",
    [
        "test_a_message_comes_as_it_was_appended",
        "test_a_topic_that_was_not_set_up_is_refused",
        "test_read_gives_all_that_was_made_since_a_time_below_an_end",
        "test_a_broadcast_reaches_every_process",
        "test_every_group_gets_every_message",
        "test_what_is_not_committed_is_delivered_again_to_the_next_owner",
        "test_partitions_can_be_added",
        "test_lag_tells_how_far_every_group_is_behind",
    ],
)
async def test_what_the_exam_asks_for_holds_here_too(place: Place, name: str) -> None:
    Examined.place = place
    await getattr(Examined(), name)()


async def fails(work: Awaitable[object]) -> StorageUnavailable:
    """The error that `work` ends with, in bounded time."""
    async with asyncio.timeout(LATE):
        with pytest.raises(StorageUnavailable) as failed:
            await work
    return failed.value


WRONG = User("esclusa", "a secret that is wrong")
NOBODY = User("nobody", "a secret of nobody")
CERTIFICATE = "certificate that can't be trusted"
MISTAKES: dict[str, tuple[Callable[[Place], KafkaSettings], str]] = {
    "a wrong password": (lambda place: place.settings("SASL_SSL", place.tls, place.login(user=WRONG)), "look at kafka.sasl"),
    "a wrong password, PLAIN": (
        lambda place: place.settings("SASL_SSL", place.tls, place.login("PLAIN", WRONG)),
        "refuses the login: look at kafka.sasl",
    ),
    "an unknown user": (lambda place: place.settings("SASL_SSL", place.tls, place.login(user=NOBODY)), "look at kafka.sasl"),
    "another authority": (
        lambda place: place.settings("SASL_SSL", TlsSettings(ca=str(another(place).ca)), place.login()),
        CERTIFICATE,
    ),
    "another name": (
        lambda place: KafkaSettings(
            servers=[place.kafka.addresses[0].replace("127.0.0.1", "localhost")], tls=place.tls, sasl=place.login()
        ),
        CERTIFICATE,
    ),
    "no TLS": (lambda place: place.settings("SASL_SSL", None, None), "if it wants TLS there, give kafka.tls"),
    "a login without TLS": (lambda place: place.settings("SASL_SSL", None, place.login()), "give kafka.tls"),
    "TLS where there is none": (
        lambda place: place.settings("SASL_PLAINTEXT", place.tls, place.login()),
        "may speak without it there",
    ),
    "no login": (lambda place: place.settings("SASL_SSL", place.tls, None), "if it wants a login there, give kafka.sasl"),
    "a login where there is none": (
        lambda place: place.settings("SSL", place.shown, place.login()),
        "look at kafka.sasl.mechanism",
    ),
    "no certificate": (lambda place: place.settings("SSL", place.tls, None), "look at kafka.tls.certificate"),
    "another authority's certificate": (
        lambda place: place.settings(
            "SSL",
            TlsSettings(
                ca=str(place.secured.ca),
                certificate=str(another(place).client.certificate),
                key=str(another(place).client.key),
            ),
            None,
        ),
        "look at kafka.tls.certificate",
    ),
    "nobody": (lambda _: KafkaSettings(servers=["127.0.0.1:1"]), "look at kafka.servers"),
}


def another(place: Place) -> Secured:
    """Certificates that nobody here trusts."""
    return Secured(place.secured.ca.parent / "another")


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_named_with_its_remedy_and_no_secret_is_told(place: Place, mistake: str) -> None:
    made, words = MISTAKES[mistake]
    settings, heard = made(place), Sink()
    async with engine(settings, heard) as process:
        errors = await asyncio.gather(fails(process.log.append(TOPIC, b"", b"")), fails(process.upkeep.check()))
    for error in errors:
        assert words in str(error)
        assert settings.servers[0] in str(error)
    assert any(words in str(line) for line in heard) or "closes every connection" in str(errors[0])
    told = "".join([repr(settings), *map(str, errors), *(str(error.__cause__) for error in errors), *map(str, heard)])
    assert not [secret for secret in (*place.secrets, WRONG.password, NOBODY.password) if secret in told]


async def test_an_expired_certificate_is_refused(place: Place) -> None:
    expired = place.secured.issue("expired", "127.0.0.1", until=datetime(2020, 1, 1, tzinfo=UTC))
    async with impostor(expired) as address:
        settings = KafkaSettings(servers=[address], tls=place.tls, sasl=place.login())
        async with engine(settings) as process:
            assert CERTIFICATE in str(await fails(process.log.append(TOPIC, b"", b"")))
            assert CERTIFICATE in str(await fails(process.upkeep.check()))


async def test_who_has_no_rights_is_told_so(place: Place) -> None:
    own = place.settings("SASL_SSL", place.tls, place.login())
    async with engine(own) as process:
        await process.upkeep.setup([TOPIC])
    settings = KafkaSettings(
        servers=own.servers, prefix=own.prefix, tls=place.tls, sasl=place.login(user=place.secured.stranger)
    )
    async with engine(settings) as process:
        assert "no right" in str(await fails(process.log.append(TOPIC, b"", b"")))
        with pytest.raises(StorageError, match="may not make them"):
            await process.upkeep.setup([TOPIC])


async def test_rights_that_are_given_late_are_had_by_who_waits_for_them(place: Place) -> None:
    """A producer that may write nowhere is of no use ever after: a new one takes its place."""
    own = place.settings("SASL_SSL", place.tls, place.login())
    async with engine(own) as process:
        await process.upkeep.setup([TOPIC])
    late = msgspec.structs.replace(own, sasl=place.login(user=place.secured.stranger))
    async with engine(late) as process:
        for _ in range(3):
            assert "no right" in str(await fails(process.log.append(TOPIC, b"", b"")))
        name = f"{own.prefix}{TOPIC.name}"
        right = AclBinding(
            ResourceType.TOPIC, name, Pattern.LITERAL, "User:stranger", "*", AclOperation.WRITE, AclPermissionType.ALLOW
        )
        admin = AdminClient(common(msgspec.structs.replace(own, sasl=place.login(user=place.secured.admin))))
        for given in admin.create_acls([right]).values():
            await asyncio.wrap_future(given)

        refusals: list[str] = []

        async def appended() -> bool:
            try:
                await process.log.append(TOPIC, b"", b"")
            except StorageUnavailable as error:
                refusals.append(str(error))
                return False
            return True

        try:
            await until(appended, seconds=30.0)
        except TimeoutError:
            pytest.fail(f"refused {len(refusals)} times since, and still: {refusals[-3:]}")


async def test_a_password_that_is_mended_lets_the_next_process_in(place: Place) -> None:
    """A reason is of its time: nothing of it is left where all is well."""
    wrong = place.settings("SASL_SSL", place.tls, place.login(user=WRONG))
    async with engine(wrong) as process:
        await fails(process.upkeep.check())
    heard = Sink()
    async with engine(FORMS["SCRAM-SHA-512"](place), heard) as process:
        await process.upkeep.setup([TOPIC])
        await process.upkeep.check()
    assert heard == []
