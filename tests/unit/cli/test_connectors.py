"""`esclusa connectors`: the back ends, and how they are."""

from __future__ import annotations

import json

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit
from support.stub import Stub

Capture = pytest.CaptureFixture[str]


@pytest.mark.usefixtures("stub")
def test_each_is_a_row(capsys: Capture) -> None:
    assert main(["connectors"]) == Exit.DONE
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert rows[0] == ["Connector", "Title", "Pool", "Tags", "Breaker", "Waiting", "Running", "Processes"]
    assert rows[2] == ["dgt", "Dirección", "General", "de", "Tráfico", "default", "estado", "closed", "3", "2", "1"]
    assert rows[3] == ["padron", "Padrón", "municipal", "default", "estado", "open", "3", "2", "0"]


def test_with_json_it_is_what_the_api_says(stub: Stub, capsys: Capture) -> None:
    assert main(["connectors", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == stub.answer_to("/api/v1/connectors")
