"""Which parts a process has for its configuration and its roles."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from esclusa.bootstrap import Runtime, fingerprint, make_connectors, make_hub, make_setup, open_ports
from esclusa.config.settings import Configuration
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.rest import RestSettings
from esclusa.edges.http.settings import ClientSettings
from esclusa.kernel.errors import ConfigurationError
from esclusa.kernel.lifecycle import Lifecycle
from support.hub import configuration
from unit.bootstrap.wiring import memory, names


async def test_every_connector_is_made_and_what_cannot_be_is_refused() -> None:
    made = make_connectors(configuration(["a", "b"]), Runtime.real())
    assert list(made) == ["a", "b"]
    for each in made.values():
        await each.close()
    strange = {"a": RestSettings(url="https://a.example/", tls=TlsSettings(ca="/nowhere/ca.pem"))}
    with pytest.raises(ConfigurationError, match="nowhere"):
        make_connectors(Configuration(connectors=strange), Runtime.real())


@pytest.mark.parametrize(
    ("roles", "has", "lacks"),
    [
        (["hub", "collector", "connectors", "purge"], {"Collector", "Pool", "Purge", "Admission", "Presence"}, set()),
        (["hub"], {"Submitter", "Wakeups", "Admission", "Presence", "Lags"}, {"Collector", "Pool", "Purge"}),
        (["collector"], {"Collector", "Presence"}, {"Pool", "Purge", "Submitter", "Wakeups", "Admission"}),
        (["connectors"], {"Pool", "Presence"}, {"Collector", "Purge", "Submitter", "Wakeups", "Admission"}),
        (["purge"], {"Purge", "Presence"}, {"Collector", "Pool", "Submitter", "Wakeups", "Admission"}),
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
    assert list(south.roster.all) == ["b"]


async def test_collectors_and_pools_are_those_that_are_given_partitions() -> None:
    settings, runtime = memory(), Runtime.real()
    ports = open_ports(settings, runtime)
    process = make_hub(settings, ports, make_connectors(settings, runtime), runtime)
    assert names(process.members) == ["Collector", "Pool"]
    assert not [member for member in process.members if member.given.is_set()]
    async with Lifecycle([*ports.engines, make_setup(settings, ports), *process.parts]), asyncio.timeout(10):
        for member in process.members:
            await member.given.wait()


async def test_before_the_calls_end_the_collecting_goes_on() -> None:
    """Parts are drained in the reverse of their order: a pool hands over what it has while the collector still takes it."""
    settings, runtime = memory(), Runtime.real()
    process = make_hub(settings, open_ports(settings, runtime), make_connectors(settings, runtime), runtime)
    order = names(process.parts)
    assert order.index("Collector") < order.index("Roster") < order.index("Pool")


def test_a_fingerprint_is_of_what_is_configured_and_shows_no_secret() -> None:
    one = configuration(["a", "b"])
    again = msgspec.structs.replace(one, connectors={name: one.connectors[name] for name in ("b", "a")})
    assert fingerprint(one) == fingerprint(again), "the order in the file is no difference"
    assert fingerprint(one) != fingerprint(configuration(["a"]))
    keyed = [msgspec.structs.replace(one, clients={"c": ClientSettings(key=key)}) for key in ("k" * 16, "l" * 16)]
    assert fingerprint(keyed[0]) != fingerprint(keyed[1])
    assert len(fingerprint(keyed[0])) == 12
    assert "k" * 4 not in fingerprint(keyed[0])


def test_several_processes_of_one_machine_have_the_same_fingerprint() -> None:
    """They differ in where they serve and keep their files, and have to."""
    one = configuration(["a"])
    own = msgspec.structs.replace(one.esclusa, data="/elsewhere")
    server = msgspec.structs.replace(one.server, listen="127.0.0.1:8090", admin="127.0.0.1:8091")
    assert fingerprint(msgspec.structs.replace(one, esclusa=own, server=server)) == fingerprint(one)
