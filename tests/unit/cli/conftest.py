"""A folder with a configuration, and a service that answers as it is told to on the socket of its data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from esclusa.edges.http.server import SOCKET
from support.service import Reply, Stub, ok, receipt, result, served

CONFIGURATION = """
[esclusa]
data = "data"
[clients.sede]
key = "${A_SECRET_THAT_WHO_ASKS_DOES_NOT_HAVE}"
"""
QUERIES = {
    "queries": [
        {
            "name": "expedientes",
            "title": "Mis expedientes",
            "ttlMs": 10_000,
            "keepMs": 600_000,
            "subject": "nif",
            "params": [
                {"name": "province", "type": "province", "title": "Provincia", "required": False},
                {"name": "period", "type": "dateRange", "title": "Periodo", "required": False},
                {"name": "limit", "type": "number", "title": "Límite", "required": False},
            ],
            "connectors": ["*"],
        }
    ]
}
CONNECTORS = {
    "connectors": [
        {
            "name": name,
            "title": title,
            "pool": "default",
            "tags": ["estado"],
            "breaker": breaker,
            "waiting": 3,
            "running": 2,
            "processes": processes,
        }
        for name, title, breaker, processes in (
            ("dgt", "Dirección General de Tráfico", "closed", 1),
            ("padron", "Padrón municipal", "open", 0),
        )
    ]
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: new, with a configuration whose data are in `data`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ESCLUSA_KEY", raising=False)
    Path("esclusa.toml").write_text(CONFIGURATION, encoding="utf-8")
    Path("data").mkdir()
    return tmp_path


@pytest.fixture
def stub(here: Path) -> Iterator[Stub]:
    """The process of that configuration: knows a query and two connectors, and gives one answer and then the other."""
    stub = Stub()
    stub.replies("GET", "/api/v1/queries", Reply(QUERIES))
    stub.replies("GET", "/api/v1/connectors", Reply(CONNECTORS))
    stub.replies("POST", "/api/v1/requests", Reply(receipt(), 202))
    first = result([ok("dgt", [{"label": "Permiso B", "points": 12}])], ["padron"])
    last = result([ok("dgt", [{"label": "Permiso B", "points": 12}]), ok("padron")])
    address = receipt()["statusUrl"]
    stub.replies("GET", address, Reply(first, headers={"etag": '"1"'}), Reply(last, headers={"etag": '"2"'}))
    with served(stub, here / "data" / SOCKET):
        yield stub
