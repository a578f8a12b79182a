"""`esclusa connectors`: the back ends, and how they are."""

from __future__ import annotations

import json

import pytest

from esclusa.cli import main, output
from esclusa.cli.exits import Exit
from support.service import Stub

Capture = pytest.CaptureFixture[str]


@pytest.mark.usefixtures("stub")
def test_each_is_a_row(capsys: Capture) -> None:
    assert main(["connectors"]) == Exit.DONE
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert rows[0] == ["Connector", "Title", "Pool", "Tags", "Breaker", "Waiting", "Running", "Processes"]
    assert rows[2] == ["dgt", "Dirección", "General", "de", "Tráfico", "default", "estado", "closed", "3", "2", "1"]
    assert rows[3] == ["padron", "Padrón", "municipal", "default", "estado", "open", "3", "2", "0"]


@pytest.mark.usefixtures("stub")
def test_on_a_narrow_terminal_each_is_still_one_line(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_WIDE", 60)
    assert main(["connectors"]) == Exit.DONE
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert rows[0] == ["Connector", "Title", "Breaker", "Waiting", "Running", "Processes"]
    assert [row[0] for row in rows[2:]] == ["dgt", "padron"]
    assert rows[2][-4:] == ["closed", "3", "2", "1"]


def test_with_json_it_is_what_the_api_says(stub: Stub, capsys: Capture) -> None:
    assert main(["connectors", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == stub.answer_to("/api/v1/connectors")
