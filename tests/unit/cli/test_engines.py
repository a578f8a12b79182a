"""The engines of a configuration, each once, and the topics that they have to have."""

from __future__ import annotations

from pathlib import Path

from esclusa.cli.engines import ConfiguredEngines
from esclusa.config.config import load


async def test_an_engine_that_serves_several_ports_is_one(tmp_path: Path) -> None:
    path = tmp_path / "esclusa.toml"
    path.write_text("[pools.slow]\n", encoding="utf-8")
    configured = ConfiguredEngines.of(load(path, {}))
    assert [name for name, _ in configured.engines] == ["embedded"]
    names = {topic.name for topic in configured.topics}
    assert names == {
        "wakeups",
        "cancels",
        *(f"{kind}.{pool}" for kind in ("requests", "answers") for pool in ("default", "slow")),
    }
    assert not (tmp_path / "esclusa-data").exists()


async def test_engines_have_the_names_that_the_configuration_gives_them(tmp_path: Path) -> None:
    path = tmp_path / "esclusa.toml"
    path.write_text(
        '[esclusa]\nlog = "kafka"\nrecords = "cassandra"\n[kafka]\nservers = ["a:1"]\n[cassandra]\nhosts = ["b"]\n',
        encoding="utf-8",
    )
    assert [name for name, _ in ConfiguredEngines.of(load(path, {})).engines] == ["kafka", "cassandra"]
