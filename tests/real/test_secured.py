"""The program on a broker and a node that ask who is there: what it needs to be let in, and what it does when it isn't."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from dev.cassandra import Cassandra
from dev.kafka import Kafka
from dev.secured import Secured

from support.apart import Apart
from support.country import Country
from support.poll import until
from support.program import Program, question

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]

WRONG = "a secret that is wrong"
LATE = 30.0
"""Seconds that a process may take to give up at its start."""


class Servers(NamedTuple):
    """A broker and a node; both want a certificate and a login."""

    kafka: Kafka
    cassandra: Cassandra
    secured: Secured
    apart: Apart

    def program(self, folder: Path, country: Country, **change: str) -> Program:
        """One that is let in; `change`: other passwords in its environment."""
        user, client = self.secured.user, self.secured.client
        tls = f'{{ ca = "{self.secured.ca}", certificate = "{client.certificate}", key = "{client.key}" }}'
        made = Program(
            folder,
            country.connectors(),
            engines=f"""log = "kafka"
records = "cassandra"
[kafka]
servers = {json.dumps(self.kafka.addresses)}
prefix = "{self.secured.prefix}"
tls = {tls}
sasl = {{ mechanism = "PLAIN", username = "{user.name}", password = "${{KAFKA_PASSWORD}}" }}
[cassandra]
hosts = {json.dumps(self.cassandra.addresses)}
replication = 1
tls = {tls}
username = "{user.name}"
password = "${{CASSANDRA_PASSWORD}}"
""",
        )
        made.environ = {"KAFKA_PASSWORD": user.password, "CASSANDRA_PASSWORD": user.password} | change
        return made


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """For all tests of this file."""
    folder = tmp_path_factory.mktemp("servers")
    secured = Secured(folder / "secured", required=True)
    with Apart() as apart:
        made = Servers(Kafka(folder, secured=secured), Cassandra(folder, secured=secured), secured, apart)
        try:
            apart.run(both(made.kafka.start(), made.cassandra.start()))
            yield made
        finally:
            apart.run(both(made.kafka.stop(), made.cassandra.stop()))


async def both(*works: Any) -> None:
    await asyncio.gather(*works)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"KAFKA_PASSWORD": WRONG}, "refuses the login: look at kafka.sasl"),
        ({"CASSANDRA_PASSWORD": WRONG}, "the login is refused; look at cassandra.username"),
    ],
)
async def test_a_wrong_password_ends_the_start_in_words(
    servers: Servers, tmp_path: Path, change: dict[str, str], words: str
) -> None:
    async with Country(["a"], slowest=0).open() as country:
        program = servers.program(tmp_path, country, **change)
        await program.start(ready=False)
        assert program.process is not None
        async with asyncio.timeout(LATE):
            assert await program.process.wait() > 0
    assert words in program.log()
    assert not [secret for secret in (WRONG, servers.secured.user.password) if secret in program.log()]


async def test_a_question_is_answered_and_a_login_that_is_refused_later_is_told_by_its_health(
    servers: Servers, tmp_path: Path
) -> None:
    (broker,) = servers.kafka.nodes
    password = servers.secured.user.password
    (properties,) = servers.secured.ca.parent.parent.rglob("server.properties")
    sound = properties.read_text()

    async def health() -> dict[str, Any]:
        async with program.client() as client:
            found: dict[str, Any] = (await client.get("/health/ready")).json()
        return found

    async def refused() -> bool:
        return any("refuses the login: look at kafka.sasl" in part["reason"] for part in (await health()).get("lost", []))

    async def well() -> bool:
        return bool((await health())["status"] == "ready")

    async def answered() -> bool:
        async with program.client() as client:
            said = await client.post("/api/v1/requests", json=question())
            if said.status_code != 202:
                return False
            shown = await client.get(said.headers["Location"], headers={"Prefer": "wait=10"})
        return bool(shown.json()["answers"])

    async def restarted(properties_say: str) -> None:
        properties.write_text(properties_say)
        for step in (broker.kill, broker.start, broker.ready):
            await servers.apart.call(step())

    async with Country(["a", "b"], slowest=0.05).open() as country:
        program = servers.program(tmp_path, country)
        try:
            await program.start()
            await until(answered)
            await restarted(sound.replace(password, "another"))
            await until(refused, seconds=40)
            await restarted(sound)
            await until(well, seconds=40)
            await until(answered)
            assert await program.terminate() == 0
        finally:
            await program.kill()
            properties.write_text(sound)
    assert password not in program.log()
