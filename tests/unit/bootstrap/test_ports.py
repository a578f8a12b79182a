"""Which engine serves which port."""

from __future__ import annotations

from pathlib import Path

from esclusa.bootstrap import Runtime, open_ports
from esclusa.engines.memory import MemoryEngine
from esclusa.engines.sqlite import SqliteEngine
from unit.bootstrap.wiring import memory


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
