"""Which engine serves which port, and what is refused by name."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from esclusa.config.draft import Draft
from esclusa.config.engines import ENGINES, PORTS, Engine, check, engine_of
from esclusa.config.findings import Findings
from esclusa.config.settings import Configuration, EsclusaSettings
from esclusa.config.tree import parse

Mistakes = Callable[..., list[str]]

SHARED = {
    **ENGINES,
    "kafka": Engine(frozenset({"log"}), networked=True),
    "cassandra": Engine(frozenset({"records", "keys"}), networked=True),
}


def judged(**engines: str) -> list[str]:
    """The mistakes where Kafka and Cassandra are installed."""
    findings = Findings()
    findings.reading("esclusa.toml")
    text = "[esclusa]\n" + "\n".join(f'{key} = "{name}"' for key, name in engines.items())
    check(
        Draft(parse(text, "esclusa.toml"), Configuration(esclusa=msgspec.convert(engines, EsclusaSettings)), findings), SHARED
    )
    return [str(mistake) for mistake in findings.mistakes()]


def test_every_port_is_served_by_the_engine_or_by_its_own() -> None:
    settings = EsclusaSettings(engine="embedded", records="memory")
    assert {port: engine_of(settings, port) for port in PORTS} == {"log": "sqlite", "records": "memory", "keys": "sqlite"}


@pytest.mark.parametrize("engine", ["embedded", "memory", "sqlite"])
def test_those_that_are_installed_are_good(mistakes: Mistakes, engine: str) -> None:
    assert mistakes(f"[esclusa]\nengine = '{engine}'\nlog = '{engine}'") == []


def test_one_that_there_is_not_is_refused_with_the_nearest(mistakes: Mistakes) -> None:
    assert mistakes("[esclusa]\n\nengine = 'sqllite'") == [
        'esclusa.toml:3: esclusa.engine can\'t be "sqllite": did you mean "sqlite"?'
    ]


def test_one_that_is_not_installed_is_refused_by_name(mistakes: Mistakes) -> None:
    found = mistakes("[esclusa]\nlog = 'kafka'\nrecords = 'cassandra'\nkeys = 'cassandra'")
    there = 'that engine is not installed, there is "embedded", "memory", "sqlite"'
    assert found == [
        f'esclusa.toml:2: esclusa.log can\'t be "kafka": {there}',
        f'esclusa.toml:3: esclusa.records can\'t be "cassandra": {there}',
        f'esclusa.toml:4: esclusa.keys can\'t be "cassandra": {there}',
    ]


def test_engines_that_processes_share_go_together() -> None:
    assert judged(log="kafka", records="cassandra", keys="cassandra") == []


def test_one_that_processes_share_and_one_that_belongs_to_one_are_refused() -> None:
    (found,) = judged(log="kafka")
    start, _, remedy = found.rpartition(": ")
    assert start == 'esclusa.toml:2: "kafka" for the log is shared by processes, "sqlite" for the records belongs to one'
    assert remedy == "take engines of one kind"


def test_a_port_that_its_engine_lacks_is_refused() -> None:
    assert judged(engine="kafka", records="cassandra") == [
        'esclusa.toml:1: the engine "kafka" has no keys: set esclusa.keys, there is "embedded", "memory", "sqlite", "cassandra"'
    ]
