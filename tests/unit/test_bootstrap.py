"""Wiring: which parts a process has for its configuration and its roles, and what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from esclusa import bootstrap
from esclusa.bootstrap import (
    Runtime,
    fingerprint,
    make_application,
    make_connectors,
    make_hub,
    open_hub,
    open_ports,
)
from esclusa.config.settings import Configuration, EsclusaSettings
from esclusa.connectors.settings import ConnectorSettings, TlsSettings
from esclusa.edges.http.settings import ClientSettings, ServerSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.engines.sqlite import SqliteEngine
from esclusa.hub.submission import Submission
from esclusa.kernel.errors import ConfigurationError, PartDied, Unavailable, Unreadable
from esclusa.kernel.instrument import Level
from support.hub import ME, NIF, configuration
from support.sink import Sink


def memory(settings: Configuration | None = None, **engines: str) -> Configuration:
    """`settings` on the engine `memory`, and on a port of its own."""
    return msgspec.structs.replace(
        settings or configuration(),
        esclusa=EsclusaSettings(**{"engine": "memory", **engines}),
        server=ServerSettings(listen="127.0.0.1:0"),
    )


def flat(parts: Any) -> list[Any]:
    """One after the other, those that start and end together too."""
    return [each for part in parts for each in (part if isinstance(part, list | tuple) else [part])]


def names(parts: Any) -> list[str]:
    return [type(part).__name__ for part in flat(parts)]


async def test_an_engine_is_made_once_however_many_ports_it_serves(tmp_path: Path) -> None:
    ports = open_ports(memory(), Runtime.real())
    (engine,) = ports.engines
    assert isinstance(engine, MemoryEngine)
    assert (ports.log, ports.records, ports.keys) == (engine.log, engine.records, engine.keys)
    assert ports.by_port == {"log": engine, "records": engine, "keys": engine}

    mixed = open_ports(memory(engine="embedded", log="memory", data=str(tmp_path / "data")), Runtime.real())
    assert [type(engine) for engine in mixed.engines] == [MemoryEngine, SqliteEngine]
    assert isinstance(mixed.by_port["log"], MemoryEngine)
    assert mixed.by_port["records"] is mixed.by_port["keys"]


async def test_a_file_engine_touches_nothing_before_it_is_started(tmp_path: Path) -> None:
    open_ports(memory(engine="embedded", data=str(tmp_path / "data")), Runtime.real())
    assert not (tmp_path / "data").exists()


async def test_every_connector_is_made_and_what_cannot_be_is_refused() -> None:
    made = make_connectors(configuration(["a", "b"]), Runtime.real())
    assert list(made) == ["a", "b"]
    for each in made.values():
        await each.close()
    strange = {"a": ConnectorSettings(url="https://a.example/", tls=TlsSettings(ca="/nowhere/ca.pem"))}
    with pytest.raises(ConfigurationError, match="nowhere"):
        make_connectors(Configuration(connectors=strange), Runtime.real())


@pytest.mark.parametrize(
    ("roles", "has", "lacks"),
    [
        (["hub", "collector", "connectors", "purge"], {"Collector", "Pool", "Purge", "Admission", "Presence"}, set()),
        (["hub"], {"Admission", "Presence"}, {"Collector", "Pool", "Purge"}),
        (["collector"], {"Collector", "Presence"}, {"Pool", "Purge"}),
        (["connectors"], {"Pool", "Presence"}, {"Collector", "Purge"}),
        (["purge"], {"Purge", "Presence"}, {"Collector", "Pool"}),
    ],
)
async def test_a_process_has_the_parts_of_its_roles(roles: list[Any], has: set[str], lacks: set[str]) -> None:
    settings, runtime = memory(), Runtime.real()
    process = make_hub(settings, open_ports(settings, runtime), make_connectors(settings, runtime), runtime, roles=roles)
    found = set(names(process.parts))
    assert (has - found, lacks & found) == (set(), set())


async def test_each_pool_has_its_own_parts_and_a_process_may_run_some_of_them() -> None:
    settings = memory(configuration(["a", "b"], connectors={"b": {"pool": "south"}}, pools=["default", "south"]))
    runtime = Runtime.real()
    connectors = make_connectors(settings, runtime)
    both = names(make_hub(settings, open_ports(settings, runtime), connectors, runtime).parts)
    assert (both.count("Pool"), both.count("Collector")) == (2, 2)
    south = make_hub(settings, open_ports(settings, runtime), connectors, runtime, pools=["south"])
    assert (names(south.parts).count("Pool"), names(south.parts).count("Collector")) == (1, 2)
    (part,) = (part for part in flat(south.parts) if isinstance(part, bootstrap.ConnectorsPart))
    assert list(part._connectors) == ["b"]


async def test_before_the_calls_end_the_collecting_goes_on() -> None:
    """Parts are drained in the reverse of their order: a pool hands over what it has while the collector still takes it."""
    settings, runtime = memory(), Runtime.real()
    process = make_hub(settings, open_ports(settings, runtime), make_connectors(settings, runtime), runtime)
    order = names(process.parts)
    assert order.index("Collector") < order.index("ConnectorsPart") < order.index("Pool")


def test_a_fingerprint_is_of_what_is_configured_and_shows_no_secret() -> None:
    one = configuration(["a", "b"])
    again = msgspec.structs.replace(one, connectors=dict(reversed(one.connectors.items())))
    assert fingerprint(one) == fingerprint(again), "the order in the file is no difference"
    assert fingerprint(one) != fingerprint(configuration(["a"]))
    keyed = [msgspec.structs.replace(one, clients={"c": ClientSettings(key=key)}) for key in ("k" * 16, "l" * 16)]
    assert fingerprint(keyed[0]) != fingerprint(keyed[1])
    assert len(fingerprint(keyed[0])) == 12
    assert "k" * 4 not in fingerprint(keyed[0])


async def test_a_hub_inside_ones_own_program_runs_for_as_long_as_the_context_lasts() -> None:
    settings = memory(configuration(["a"], query={"connectors": ["#none"]}))
    async with open_hub(settings) as hub:
        receipt = await hub.submit(Submission(caller=ME, query="q", subject=NIF))
        assert (await hub.results(receipt.id, ME)).complete
    with pytest.raises(Unavailable):
        await hub.results(receipt.id, ME)


async def test_a_file_is_read_with_the_environment_that_is_given(tmp_path: Path) -> None:
    file = tmp_path / "esclusa.toml"
    file.write_text('[esclusa]\nengine = "memory"\n[connectors.a]\nurl = "${A_URL}"\n[queries.q]\n')
    with pytest.raises(ConfigurationError, match="A_URL"):
        async with open_hub(file, environ={}):
            raise AssertionError("it was opened")
    async with open_hub(str(file), environ={"A_URL": "http://a.example/"}) as hub:
        assert [connector.name for connector in await hub.connectors()] == ["a"]


async def test_when_a_part_dies_the_block_is_cut_off_with_its_death(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    honest = bootstrap.make_hub

    def watched(*arguments: Any, **options: Any) -> Any:
        made.append(honest(*arguments, **options))
        return made[-1]

    async def dies() -> None:
        raise Unreadable("what nobody thought of")

    async def work() -> None:
        async with open_hub(memory()):
            (part,) = (part for part in flat(made[0].parts) if type(part).__name__ == "Collector")
            part.background.spawn("trial", dies())
            await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(bootstrap, "make_hub", watched)
    with pytest.raises(PartDied, match="what nobody thought of"):
        await work()


@pytest.mark.parametrize("options", [{"roles": ["hub"]}, {"pools": ["default"]}], ids=["a role", "a pool"])
async def test_a_process_that_nobody_can_join_does_everything_itself(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="leave --role and --pool out"):
        make_application(memory(), Runtime.real(), **options)


async def test_an_application_serves_once_started_and_not_before() -> None:
    application = make_application(memory(), Runtime.real())
    assert application.server.address is None
    async with application.lifecycle:
        assert application.lifecycle.ready
        assert application.server.address is not None
        _, writer = await asyncio.open_connection("127.0.0.1", application.server.address.port)
        writer.close()


async def test_a_callback_that_fails_is_told_without_its_arguments() -> None:
    said = Sink()
    instrument = said.instrument(Level.INFO)
    try:
        raise ValueError(NIF)  # noqa: TRY301 - as a callback would
    except ValueError as error:
        bootstrap._report(instrument, {"message": NIF, "exception": error, "handle": NIF})
    bootstrap._report(instrument, {"message": NIF})
    ((level, event, facts), (_, _, bare)) = said
    assert (level, event, facts["error"]) == (Level.ERROR, "a callback failed", "ValueError")
    assert "test_bootstrap.py" in facts["place"][0]
    assert bare["place"] == []
    assert NIF not in str(said)
