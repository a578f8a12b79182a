"""A whole process: opened, run, refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from esclusa.bootstrap import Runtime, bootstrap, make_application, make_hub, open_hub
from esclusa.hub.submission import Submission
from esclusa.kernel.errors import ConfigurationError, PartDied, StorageUnavailable, Unavailable, Unreadable
from esclusa.kernel.instrument import Level
from support.hub import ME, NIF, configuration
from support.sink import Sink
from unit.bootstrap.wiring import flat, memory


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
    honest = make_hub

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
    before = application.server.address
    assert before is None
    async with application.lifecycle:
        assert application.lifecycle.ready
        assert application.server.address is not None
        _, writer = await asyncio.open_connection("127.0.0.1", application.server.address.port)
        writer.close()


class Broken:
    """A part that can't start now."""

    async def start(self) -> None:
        raise StorageUnavailable("the disk is full")

    async def drain(self) -> None: ...

    async def stop(self) -> None: ...


async def test_what_belongs_to_one_process_is_not_waited_for() -> None:
    """Files are there or broken: who has started the process is told at once."""
    application = make_application(memory(), Runtime.real(), first=[Broken()])
    with pytest.raises(StorageUnavailable, match="the disk is full"):
        await application.lifecycle.start()


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
