"""The inventory as JSON: the contract's words, spelled as it spells them."""

from __future__ import annotations

from typing import Any

import msgspec

from esclusa.edges.http.inventory_wire import connectors_body, pools_body, processes_body, queries_body
from esclusa.hub.lag import GroupLag, PoolLag
from esclusa.hub.presence import ConnectorHealth, ConnectorState, ProcessReport
from esclusa.hub.settings import ParamSettings, QuerySettings
from esclusa.kernel.duration import Duration

T = 1_800_000_000_000


def decoded(body: bytes) -> Any:
    return msgspec.json.decode(body)


def test_the_queries() -> None:
    settings = QuerySettings(
        title="Mis expedientes",
        ttl=Duration(60),
        keep=Duration(30),
        connectors=["#state"],
        params={"period": ParamSettings(type="dateRange", required=True, max=31), "word": ParamSettings(type="text")},
    )
    assert decoded(queries_body({"expedientes": settings}))["queries"] == [
        {
            "name": "expedientes",
            "title": "Mis expedientes",
            "ttlMs": 60_000,
            "keepMs": 65_000,
            "subject": "nif",
            "params": [
                {"name": "period", "type": "dateRange", "title": "period", "required": True, "max": 31},
                {"name": "word", "type": "text", "title": "word", "required": False},
            ],
            "connectors": ["#state"],
        }
    ]


def test_the_connectors() -> None:
    health = ConnectorHealth("dgt", "Tráfico", "default", ["state"], "half_open", 3, 2, 1)
    assert decoded(connectors_body([health]))["connectors"] == [
        {
            "name": "dgt",
            "title": "Tráfico",
            "pool": "default",
            "tags": ["state"],
            "breaker": "half_open",
            "waiting": 3,
            "running": 2,
            "processes": 1,
        }
    ]


def test_the_processes() -> None:
    report = ProcessReport("p1", "0.1.0", T, T + 5000, ["hub"], ["default"], "abc", [ConnectorState("dgt", "open", 0, 1)])
    assert decoded(processes_body([report]))["processes"] == [
        {
            "id": "p1",
            "version": "0.1.0",
            "startedAt": "2027-01-15T08:00:00.000Z",
            "seenAt": "2027-01-15T08:00:05.000Z",
            "roles": ["hub"],
            "pools": ["default"],
            "configuration": "abc",
            "connectors": [{"name": "dgt", "breaker": "open", "waiting": 0, "running": 1}],
        }
    ]


def test_the_pools() -> None:
    whole = PoolLag("default", "pool", 8, [GroupLag("pool.default", None, 7)], 0)
    groups = [GroupLag("connector.dgt", "dgt", 3), GroupLag("connector.padron", "padron", None)]
    each = PoolLag("slow", "connector", 4, groups, None)
    assert decoded(pools_body([whole, each]))["pools"] == [
        {
            "name": "default",
            "consumers": "pool",
            "partitions": 8,
            "lag": 7,
            "answersLag": 0,
            "groups": [{"name": "pool.default", "lag": 7}],
        },
        {
            "name": "slow",
            "consumers": "connector",
            "partitions": 4,
            "lag": 3,
            "answersLag": None,
            "groups": [
                {"name": "connector.dgt", "connector": "dgt", "lag": 3},
                {"name": "connector.padron", "connector": "padron", "lag": None},
            ],
        },
    ]
