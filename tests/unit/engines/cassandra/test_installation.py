"""What is said of a cluster as it is found: what matters, each with its remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from esclusa.engines.cassandra import installation
from esclusa.engines.cassandra.installation import CassandraInstallation
from esclusa.engines.cassandra.schema import LADDER
from esclusa.engines.cassandra.settings import CassandraSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.installation import Finding
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time

SETTINGS = CassandraSettings(hosts=["node"], datacentre="madrid", keyspace="ours", username="us")
EVERYWHERE = {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "madrid": "3"}
ALL = {("<all keyspaces>", "SELECT"), ("<keyspace ours>", "MODIFY"), ("<table ours_keys.keys>", "MODIFY")}
SKEW = 2.0
ADDRESSES: tuple[str, ...] = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


class Cluster:
    """The answers to what is asked, of a cluster that is as it is told to be; at first nothing is wrong with it."""

    def __init__(self) -> None:
        self.nodes = [(address, "madrid", "5.0.5") for address in ADDRESSES]
        self.ahead: dict[str, int] = dict.fromkeys(ADDRESSES, 0)
        """Milliseconds, of each node's clock."""
        self.hints: dict[str, str] = dict.fromkeys(ADDRESSES, "false")
        self.silent: tuple[str, ...] = ()
        """The nodes that don't answer for themselves."""
        self.keyspaces = {"ours": (EVERYWHERE, True), "ours_keys": (EVERYWHERE, False)}
        self.tables = {"ours": ["esclusa", "records", "deaths"], "ours_keys": ["keys"]}
        self.version = len(LADDER)
        self.superuser = False
        self.rights = ALL
        self.refuses: tuple[str, ...] = ()
        """With what the questions begin that it refuses."""

    async def query(self, statement: str, *, node: str = "") -> list[tuple[Any, ...]]:
        if statement.startswith(self.refuses) or node in self.silent:
            raise StorageUnavailable("refused")
        if "now()" in statement:
            return [(round(EPOCH * 1000) + self.ahead[node],)]
        for words, answer in (
            ("hinted_handoff_enabled", [(self.hints.get(node),)]),
            ("system.local", self.nodes[:1]),
            ("system.peers", self.nodes[1:]),
            ("system_schema.keyspaces", [(name, *said) for name, said in self.keyspaces.items()]),
            ("keyspace_name = 'ours'", [(name,) for name in self.tables["ours"]]),
            ("keyspace_name = 'ours_keys'", [(name,) for name in self.tables["ours_keys"]]),
            ("name = 'version'", [(self.version,)]),
            ("LIST ROLES", [("us", self.superuser, True)]),
            ("LIST ALL", [("us", "us", *right) for right in self.rights]),
        ):
            if words in statement:
                return answer
        raise AssertionError(statement)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Instead of a real one."""
    made = Cluster()

    @asynccontextmanager
    async def connected(_: CassandraSettings) -> AsyncIterator[Cluster]:
        yield made

    monkeypatch.setattr(installation, "_connected", connected)
    return made


async def found(**change: Any) -> dict[str, Finding]:
    settings = msgspec.structs.replace(SETTINGS, **change)
    inspected = await CassandraInstallation(settings, Clock(epoch=EPOCH), skew=SKEW).inspect([])
    return {each.part: each for each in inspected}


async def test_what_is_as_it_has_to_be_is_sound(cluster: Cluster) -> None:
    del cluster
    findings = await found()
    assert list(findings) == ["nodes", "clock", "hints", "keyspace ours", "keyspace ours_keys", "tables", "rights of us"]
    assert {finding.state for finding in findings.values()} == {"sound"}
    assert {finding.remedy for finding in findings.values()} == {""}


@pytest.mark.parametrize(
    ("datacentres", "configured", "words"),
    [
        (["madrid"], "", "3 in the datacentre madrid"),
        (["madrid", "vigo"], "", "several datacentres: madrid, vigo"),
        (["vigo"], "madrid", "no datacentre madrid, but vigo"),
        (["madrid", "vigo", "vigo"], "madrid", "1 in the datacentre madrid, version 5.0.5: too few"),
    ],
)
async def test_the_datacentre(cluster: Cluster, datacentres: list[str], configured: str, words: str) -> None:
    cluster.nodes = [(address, name, "5.0.5") for address, name in zip(ADDRESSES, datacentres * 3, strict=False)]
    nodes = (await found(datacentre=configured))["nodes"]
    assert words in nodes.what
    assert (nodes.state == "sound") == (datacentres == ["madrid"])
    assert bool(nodes.remedy) == (nodes.state != "sound")


async def test_one_replica_is_a_doubt(cluster: Cluster) -> None:
    cluster.keyspaces = {name: ({**EVERYWHERE, "madrid": "1"}, durable) for name, (_, durable) in cluster.keyspaces.items()}
    findings = await found(replication=1)
    assert findings["nodes"].state == "doubtful"
    assert findings["keyspace ours"].state == "sound"


@pytest.mark.parametrize("ahead", [-5000, 5000])
async def test_clocks_that_differ_by_more_than_the_skew_are_told(cluster: Cluster, ahead: int) -> None:
    cluster.ahead = dict(zip(ADDRESSES, (ahead, 0, round(SKEW * 1000)), strict=True))
    clock = (await found())["clock"]
    assert (clock.state, clock.what) == ("doubtful", "not this machine's: 10.0.0.1 by 5.0 s")


async def test_a_node_that_does_not_answer_is_told_and_the_others_are_looked_at(cluster: Cluster) -> None:
    cluster.silent, cluster.hints["10.0.0.3"] = ("10.0.0.2",), "true"
    findings = await found()
    assert (findings["node 10.0.0.2"].state, findings["node 10.0.0.2"].what) == ("doubtful", "does not answer")
    assert findings["clock"].state == "sound"
    assert "10.0.0.3" in findings["hints"].what


async def test_where_no_node_answers_nothing_is_said_of_clocks_and_hints(cluster: Cluster) -> None:
    cluster.silent = ADDRESSES
    assert not {"clock", "hints"} & set(await found())


async def test_hints_are_a_doubt_and_every_node_that_keeps_them_is_named(cluster: Cluster) -> None:
    cluster.hints |= {"10.0.0.1": "true", "10.0.0.3": "true"}
    hints = (await found())["hints"]
    assert hints.state == "doubtful"
    assert hints.what.startswith("kept by 10.0.0.1, 10.0.0.3:")
    assert "hinted_handoff_enabled: false" in hints.remedy


async def test_who_may_not_see_whether_there_are_hints_is_told_what_it_takes(cluster: Cluster) -> None:
    cluster.refuses = ("SELECT value FROM system_views.settings",)
    hints = (await found())["hints"]
    assert hints.state == "doubtful"
    assert "esclusa setup --print" in hints.remedy


async def test_a_lone_node_keeps_hints_for_nobody(cluster: Cluster) -> None:
    cluster.nodes, cluster.hints = cluster.nodes[:1], dict.fromkeys(ADDRESSES, "true")
    assert "hints" not in await found(replication=1)


async def test_keyspaces_that_are_absent_or_otherwise_are_wrong(cluster: Cluster) -> None:
    cluster.keyspaces = {"ours": ({**EVERYWHERE, "madrid": "2"}, True)}
    findings = await found()
    assert "2 replicas" in findings["keyspace ours"].what
    assert findings["keyspace ours_keys"].what == "absent"
    assert "esclusa setup" in findings["keyspace ours_keys"].remedy
    assert "tables" not in findings


async def test_keys_that_would_stay_in_the_commit_log_are_wrong(cluster: Cluster) -> None:
    cluster.keyspaces["ours_keys"] = (EVERYWHERE, True)
    finding = (await found())["keyspace ours_keys"]
    assert finding.state == "wrong"
    assert finding.remedy == "ALTER KEYSPACE ours_keys WITH durable_writes = false"


async def test_tables_that_are_absent_are_named(cluster: Cluster) -> None:
    cluster.tables["ours"].remove("deaths")
    finding = (await found())["tables"]
    assert (finding.state, finding.what) == ("wrong", "absent: ours.deaths")


@pytest.mark.parametrize(("version", "words"), [(99, "newer version"), (0, "older version")])
async def test_another_version_is_told(cluster: Cluster, version: int, words: str) -> None:
    cluster.version = version
    finding = (await found())["tables"]
    assert finding.state == "wrong"
    assert words in finding.what
    assert finding.remedy


async def test_rights_that_are_lacking_are_named(cluster: Cluster) -> None:
    cluster.rights = {("<all keyspaces>", "SELECT"), ("<table ours.records>", "MODIFY")}
    finding = (await found())["rights of us"]
    assert finding.state == "wrong"
    assert finding.what == "lacking: MODIFY on ours.deaths, MODIFY on ours_keys.keys"
    assert "esclusa setup --print" in finding.remedy


async def test_a_superuser_is_a_doubt(cluster: Cluster) -> None:
    cluster.superuser, cluster.rights = True, set()
    assert (await found())["rights of us"].state == "doubtful"


async def test_where_nobody_asks_for_rights_none_are_told(cluster: Cluster) -> None:
    cluster.refuses = ("LIST",)
    assert "rights of us" not in await found()
    assert "rights of " not in await found(username="")


async def test_what_can_not_be_read_is_told(cluster: Cluster) -> None:
    cluster.refuses = ("SELECT value FROM {keyspace}",)
    finding = (await found())["tables"]
    assert (finding.state, finding.what) == ("wrong", "refused")
