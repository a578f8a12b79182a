"""A configuration that is taken while the process runs: whole, or not at all (H40)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

import msgspec
import pytest

from esclusa.bootstrap import Runtime, make_application
from esclusa.bootstrap.bootstrap import Application
from esclusa.config.config import ConfigurationText
from esclusa.config.settings import Configuration, LogSettings
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import BearerCredentials
from esclusa.connectors.soap import SoapSettings
from esclusa.demo.soap import wsdl
from esclusa.edges.http.reloaded import Reloaded
from esclusa.edges.http.settings import ClientSettings
from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.submission import Submission
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import ConfigurationError, UnknownQuery
from esclusa.kernel.instrument import Level
from esclusa.testing.hostile import always, answer, hostile
from support.hub import ME, NIF, configuration
from support.sink import Sink
from unit.bootstrap.wiring import memory

replace = msgspec.structs.replace


def body(**settings: Any) -> RestSettings:
    return RestSettings(**{"url": "http://127.0.0.1:9/", **settings})


BEFORE = replace(memory(configuration(["a", "b"])), connectors={"a": body(), "b": body()})


class Said(ConfigurationText):
    """What no file says."""

    def __init__(self, said: Callable[[], Configuration]) -> None:
        self.configuration = said

    def again(self) -> Self:
        return self

    def secret_files(self) -> list[str]:
        return []

    def placed(self, error: ConfigurationError) -> ConfigurationError:
        return error


class Running:
    """A process whose file says what `now` is."""

    def __init__(self, before: Configuration = BEFORE) -> None:
        self.now = before
        self.logged = Sink()
        runtime = Runtime.real(self.logged.instrument(Level.INFO))
        self.application: Application = make_application(before, runtime, text=Said(lambda: self.now))

    async def takes(self, **changes: Any) -> Reloaded:
        """The process reads its file, in which these tables are others."""
        self.now = replace(self.now, **changes)
        assert self.application.reload is not None
        return await self.application.reload()

    async def refuses(self, **changes: Any) -> list[str]:
        """Why it does not take that."""
        before = self.now
        with pytest.raises(ConfigurationError) as raised:
            await self.takes(**changes)
        self.now = before
        return [mistake.what for mistake in raised.value.mistakes]

    async def __aenter__(self) -> Self:
        await self.application.lifecycle.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.application.lifecycle.close()

    async def ask(self, query: str = "q") -> dict[str, str]:
        """Who is asked, and what comes of it."""
        hub = self.application.hub
        receipt = await hub.submit(Submission(caller=ME, query=query, subject=NIF))
        async with asyncio.timeout(10):
            snapshot = await hub.wait(receipt.id, ME, seconds=9, tag="")
            while snapshot.query_more:
                snapshot = await hub.wait(receipt.id, ME, seconds=9, tag=snapshot.tag)
        return {answer.connector: answer.detail for answer in snapshot.answers}


async def test_a_connector_that_is_added_is_asked_and_one_that_is_removed_is_not() -> None:
    async with Running() as it:
        assert (await it.ask()).keys() == {"a", "b"}
        done = await it.takes(connectors={"a": body(), "c": body(title="New")})
        assert (done.added, done.changed, done.removed) == (["connectors.c"], [], ["connectors.b"])
        assert (await it.ask()).keys() == {"a", "c"}
        assert [each.name for each in await it.application.hub.connectors()] == ["a", "c"]
        (process,) = await it.application.hub.processes()
        assert process.configuration == done.configuration
        assert [each.name for each in process.connectors] == ["a", "c"]


async def test_a_connector_goes_by_its_new_settings() -> None:
    async with Running() as it:
        assert "refused" in (await it.ask())["a"]
        done = await it.takes(connectors={"a": body(url="http://nowhere.invalid/"), "b": body()})
        assert done.changed == ["connectors.a"]
        answers = await it.ask()
        assert "refused" not in answers["a"]
        assert "refused" in answers["b"]


async def test_other_credentials_are_another_connector() -> None:
    def keyed(token: str) -> dict[str, Any]:
        return {"connectors": {"a": body(credentials="k")}, "credentials": {"k": BearerCredentials(token=token)}}

    async with Running(replace(BEFORE, **keyed("one"))) as it:
        connector = it.application.reload._process.roster.all["a"]  # type: ignore[union-attr]  # it has a file
        before = connector._backend
        assert (await it.takes(**keyed("two"))).changed == ["credentials.k"]
        assert connector._backend is not before
        after = connector._backend
        assert (await it.takes(**keyed("two"))).changed == []
        assert connector._backend is after


async def test_queries_clients_and_the_level_of_the_log_change_too() -> None:
    async with Running() as it:
        with pytest.raises(UnknownQuery):
            await it.ask("new")
        done = await it.takes(
            queries={"q": replace(BEFORE.queries["q"], ttl=Duration(30)), "new": QuerySettings(connectors=["a"])},
            clients={"sede": ClientSettings(key="k" * 16)},
            log=LogSettings(level="error"),
        )
        assert done.added == ["queries.new", "clients.sede"]
        assert done.changed == ["queries.q", "log.level"]
        assert (await it.ask("new")).keys() == {"a"}
        said = len(list(it.logged))
        await it.takes()
        assert len(list(it.logged)) == said, "info is not told any more"


async def test_nothing_that_has_changed_is_no_change() -> None:
    async with Running() as it:
        done = await it.takes()
        assert (done.added, done.changed, done.removed) == ([], [], [])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda it: {"server": replace(it.server, max_body=1000)}, "server.maxBody has changed"),
        (lambda it: {"hub": replace(it.hub, settle=Duration(2))}, "hub.settle has changed"),
        (lambda _: {"pools": {"default": PoolSettings(partitions=4)}}, "pools.default.partitions has changed"),
        (lambda _: {"log": LogSettings(format="json")}, "log.format has changed"),
        (lambda _: {"queries": {"q": QuerySettings(keep=Duration(700))}}, "queries.q.keep is longer"),
    ],
)
async def test_what_needs_a_restart_is_refused_by_name_and_nothing_is_taken(
    change: Callable[[Configuration], dict[str, Any]], named: str
) -> None:
    async with Running() as it:
        (reason,) = await it.refuses(**change(BEFORE), clients={"c": ClientSettings(key="k" * 16)}, connectors={"a": body()})
        assert reason.startswith(named)
        assert "restart" in reason
        assert (await it.ask()).keys() == {"a", "b"}
        assert "configuration refused, the one before stays" in str(list(it.logged))


async def test_what_cannot_be_made_is_refused_whole() -> None:
    async with Running() as it:
        strange = body(url="https://127.0.0.1:9/", tls=TlsSettings(ca="/nowhere/ca.pem"))
        (reason,) = await it.refuses(connectors={"a": strange, "c": body()})
        assert "nowhere" in reason
        assert (await it.ask()).keys() == {"a", "b"}


async def test_where_each_connector_consumes_by_itself_it_takes_a_restart_to_come_or_go() -> None:
    alone = replace(BEFORE, pools={"default": PoolSettings(partitions=2, consumers="connector")})
    async with Running(alone) as it:
        reasons = await it.refuses(connectors={"a": body(), "c": body()})
        assert [reason.split()[0] for reason in reasons] == ["connectors.b", "connectors.c"]
        assert (await it.takes(connectors={"a": body(title="A"), "b": body()})).changed == ["connectors.a"]


async def test_a_pool_that_goes_with_its_connectors_takes_a_restart() -> None:
    pools = {"default": PoolSettings(), "slow": PoolSettings(consumers="connector")}
    async with Running(replace(BEFORE, pools=pools, connectors={"a": body(), "b": body(pool="slow")})) as it:
        reasons = await it.refuses(connectors={"a": body()}, pools={"default": PoolSettings()})
        assert [reason.split()[0] for reason in reasons] == ["pools.slow", "connectors.b"]


async def test_a_connector_may_move_to_another_pool() -> None:
    two = replace(BEFORE, pools={"default": PoolSettings(partitions=2), "slow": PoolSettings(partitions=2)})
    async with Running(two) as it:
        assert (await it.takes(connectors={"a": body(pool="slow"), "b": body()})).changed == ["connectors.a"]
        answers = await it.ask()
        assert "refused" in answers["a"]
        assert answers.keys() == {"a", "b"}


async def test_what_is_not_told_where_it_comes_from_is_not_taken_anew() -> None:
    assert make_application(BEFORE, Runtime.real()).reload is None


def marks(url: str) -> SoapSettings:
    return SoapSettings(wsdl=f"{url}/marks.wsdl", operation="BuscaMarcas", arguments={"nif": "{subject}"})


async def test_a_description_that_comes_over_the_network_holds_up_nobody() -> None:
    """It is served by the very loop that would be held up."""
    content = wsdl("oepm", "http://127.0.0.1:9/").content
    async with hostile(always(answer(content, b"200 OK", b"content-type: text/xml"))) as back, Running() as it:
        assert (await it.takes(connectors={"a": body(), "c": marks(back.url)})).added == ["connectors.c"]
        assert "refused" in (await it.ask())["c"]


async def test_one_that_does_not_come_changes_nothing() -> None:
    async with hostile(always(answer(b"", b"404 Not Found"))) as back, Running() as it:
        (why,) = await it.refuses(connectors={"a": body(), "c": marks(back.url)})
        assert "connectors.c.wsdl: " in why
        assert "status 404" in why
        assert (await it.ask()).keys() == {"a", "b"}
