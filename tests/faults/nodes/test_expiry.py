"""Nothing of a person can be read after expiry: by nobody, and from no file, with what keys are left (H6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from esclusa.engines.cassandra import CassandraSettings
from esclusa.engines.cassandra.session import Session
from esclusa.hub import pack
from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.stored import REQUEST, SUBMISSION, Answers, Envelope, PackHead, decode
from esclusa.hub.topics import pool_topics
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.instrument import Instrument
from support.asking import ask, final, id_of
from support.country import Country
from support.disk import copied, found
from support.installation import Engines, InstalledPrograms, installed
from support.keyspaces import SOCKETS, Nodes, done
from support.measured import measured
from support.poll import until

pytestmark = [pytest.mark.real, SOCKETS, pytest.mark.timeout(150)]

KEEP = 15.0
QUERY = f'ttl = "4s"\nkeep = "{KEEP:g}s"\nsubject = "text"\n[queries.q.params.note]\ntype = "text"\n'
SUBJECT, NOTE, SAID = "subject-of-a-person", "parameter-of-a-person", "data-of-a-person"
CLEAR = [word.encode() for word in (SUBJECT, NOTE, SAID)]
PEOPLE = 6
FORMS = 4
"""In which something of one of them is stored, at least: the question and an answer, each as a row and as a message."""
SKEW = 1.0
ON_A_CLUSTER = 30.0
"""Seconds after expiry in which the keys are off every disk: what docs/howto/cluster.md says."""


class Sealed(NamedTuple):
    """Something encrypted, as it stands in a row or a message."""

    key: bytes
    """The id of what encrypted it."""
    nonce: bytes
    encrypted: bytes
    context: bytes

    @classmethod
    def parsed(cls, value: bytes, context: bytes) -> Sealed:
        return cls(value[:16], value[16:28], value[28:], context)

    def opens(self, secrets: Sequence[bytes]) -> bool:
        """Whether any of `secrets` opens it."""
        for secret in secrets:
            try:
                AESGCM(secret).decrypt(self.nonce, self.encrypted, self.context)
            except InvalidTag:
                continue
            return True
        return False


class Stored(NamedTuple):
    """What an installation has stored of people."""

    secrets: dict[bytes, bytes]
    """By id."""
    sealed: list[Sealed]


async def stored(it: InstalledPrograms, engines: Engines, urls: Sequence[str]) -> Stored:
    """What the engines themselves have of the requests at `urls`."""
    sealed, ids = [], {UUID(id_of(url)).bytes for url in urls}
    addresses = engines.cassandra.addresses
    settings = CassandraSettings(hosts=addresses, keyspace=it.name, replication=len(addresses), timeout=Duration(10))
    session = Session(settings, Instrument())
    await session.open()
    try:
        keys = dict(await session.query("SELECT id, secret FROM {keyspace}_keys.keys"))
        for key, name, head, body in await session.query("SELECT key, name, head, body FROM {keyspace}.records"):
            if body and (key in ids or name == SUBMISSION):  # processes have rows of their own
                context = key if name in {REQUEST, SUBMISSION} else pack.context(key, decode(PackHead, head).answers)
                sealed.append(Sealed.parsed(body, context))
    finally:
        await session.close()
    (topics,) = pool_topics({"default": PoolSettings()}, {"q": QuerySettings(keep=Duration(KEEP))}).values()
    async with it.log() as engine:
        for topic in (topics.requests, topics.answers):
            for partition in range(topic.partitions):
                end = await engine.log.end(topic, partition)
                async for batch in engine.log.read(topic, partition, 0, end):
                    for message in batch:
                        if topic is topics.requests:
                            envelope = decode(Envelope, message.value)
                            sealed.append(Sealed.parsed(envelope.sealed, envelope.id))
                        else:
                            answers = decode(Answers, message.value)
                            if answers.sealed:
                                sealed.append(Sealed.parsed(answers.sealed, pack.context(answers.id, answers.heads)))
    return Stored(keys, sealed)


class People(NamedTuple):
    """Who has asked, and what is on the disks because of that."""

    it: InstalledPrograms
    client: httpx.AsyncClient
    urls: list[str]
    expired: float
    """The last one's expiry, seconds since the epoch."""
    stored: Stored
    copies: list[bytes]
    """Of all files, while everything could be read."""


@asynccontextmanager
async def people(engines: Engines, folder: Path) -> AsyncIterator[People]:
    """They have asked and been answered, and all of it stands in files; as does what it takes to read it."""
    country = Country(["traffic", "treasury", "census"], slowest=0.2)
    country.says = {"said": SAID}
    async with installed(engines, folder, country, query=QUERY) as it:
        hub = it.program("hub", "hub", "purge")
        await it.start(hub, it.program("collector", "collector"), it.program("pool", "connectors"))
        async with hub.client(40) as client:
            asking = [
                ask(client, key=f"{number}", subject=f"{SUBJECT} {number}", params={"note": NOTE}) for number in range(PEOPLE)
            ]
            urls = await asyncio.gather(*asking)
            shown = await asyncio.gather(*(final(client, url) for url in urls))
            assert all(snapshot["complete"] and SAID in str(snapshot["answers"]) for snapshot in shown)
            made = await stored(it, engines, urls)
            assert len(made.sealed) >= PEOPLE * FORMS

            wanted = {*made.secrets.values(), *(each.encrypted for each in made.sealed)}

            async def on_disk() -> list[bytes]:
                copies = await asyncio.to_thread(copied, engines.folder, folder)
                return copies if found(wanted, copies) == wanted else []

            copies = await until(on_disk)
            expired = max(datetime.fromisoformat(snapshot["expiresAt"]).timestamp() for snapshot in shown)
            yield People(it, client, urls, expired, made, copies)


async def gone(client: httpx.AsyncClient, url: str) -> bool:
    return (await client.get(url)).status_code == httpx.codes.NOT_FOUND


async def without(secrets: Collection[bytes], *folders: Path) -> list[bytes]:
    """The files below `folders`, once none of `secrets` stands in them any more."""
    copies = await asyncio.to_thread(copied, *folders)
    return [] if found(secrets, copies) else copies


async def test_after_expiry_nothing_of_a_person_can_be_read_from_any_file(engines: Engines, tmp_path: Path) -> None:
    clock = Clock()
    async with people(engines, tmp_path) as those:
        assert clock.now() < those.expired, "it took so long to ask that it has expired"
        kept = list(found(those.stored.secrets.values(), those.copies))
        assert all(each.opens(kept) for each in those.stored.sealed), "the copies are worth nothing"

        for url in those.urls:
            await until(partial(gone, those.client, url))
        assert clock.now() < those.expired + SKEW
        copies = await until(partial(without, those.stored.secrets.values(), engines.folder, tmp_path), seconds=60)
        took = clock.now() - those.expired
        measured("after expiry, until no disk of three nodes had a key left", took)
        assert took < ON_A_CLUSTER

        for each in (those.copies, copies):
            assert found([b"traffic"], each), "what is clear could be found"
            assert not found(CLEAR, each)
        left = list(found(those.stored.secrets.values(), copies))
        assert not any(each.opens(left) for each in those.stored.sealed)


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_a_node_that_was_away_has_no_keys_left_soon_after_it_is_back(
    nodes: Nodes, engines: Engines, tmp_path: Path
) -> None:
    clock = Clock()
    async with people(engines, tmp_path) as those:

        async def more() -> float:
            """When it expires, seconds since the epoch."""
            url = await ask(those.client, subject=SUBJECT, params={"note": NOTE})
            return datetime.fromisoformat((await final(those.client, url))["expiresAt"]).timestamp()

        async def made_meanwhile() -> list[bytes]:
            """What it misses, of keys: a process makes one for ten seconds."""
            await more()
            made = (await done(partial(stored, those.it, engines, those.urls))).secrets
            return [made[id] for id in made.keys() - those.stored.secrets.keys()]

        async def rid_of_them() -> list[bytes]:
            await more()  # which makes keys, and so files to be merged
            return await without(those.stored.secrets.values(), *own)

        own = [path for path in engines.folder.iterdir() if path.name == "cassandra-3"]
        others = [path for path in engines.folder.iterdir() if path not in own]
        async with nodes.away(2, how="killed"):
            missed = await until(made_meanwhile, seconds=40)
            expired = await more()
            for url in those.urls:
                await until(partial(gone, those.client, url), seconds=40)
            await until(partial(without, {*missed, *those.stored.secrets.values()}, *others), seconds=60)
            took = clock.now() - expired
            measured("one of three nodes is away; after expiry, until the others had no key left", took)
            assert took < ON_A_CLUSTER
            assert found(those.stored.secrets.values(), copied(*own)), "it has nothing to let go of"
        began = clock.now()
        await until(rid_of_them, seconds=90)
        measured("a node is back; until it had no key left", clock.now() - began)
        assert not found({*missed, *those.stored.secrets.values()}, copied(engines.folder, tmp_path))
