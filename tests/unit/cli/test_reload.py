"""`esclusa reload`: what has changed, or why nothing has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit
from support.service import Reply, Stub

Capture = pytest.CaptureFixture[str]
NOTHING: dict[str, Any] = {"configuration": "0a1b", "added": [], "changed": [], "removed": []}


def test_what_has_changed_is_listed(stub: Stub, capsys: Capture) -> None:
    changed = {"added": ["connectors.a"], "changed": ["queries.q", "log.level"], "removed": ["clients.c"]}
    stub.replies("POST", "/api/v1/reload", Reply(NOTHING | changed))
    assert main(["reload"]) == Exit.DONE
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "+ connectors.a",
        "~ queries.q",
        "~ log.level",
        "- clients.c",
        "configuration 0a1b",
    ]


def test_nothing_is_a_change_too(stub: Stub, capsys: Capture) -> None:
    stub.replies("POST", "/api/v1/reload", Reply(NOTHING))
    assert main(["reload"]) == Exit.DONE
    assert capsys.readouterr().out == "configuration 0a1b: nothing has changed\n"


def test_with_json_it_is_what_the_api_says(stub: Stub, capsys: Capture) -> None:
    stub.replies("POST", "/api/v1/reload", Reply(NOTHING))
    assert main(["reload", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == NOTHING


def test_a_configuration_that_is_refused_is_the_users_mistake(stub: Stub, capsys: Capture) -> None:
    problem = {
        "type": "/problems/invalid-configuration",
        "title": "The configuration can't be taken",
        "status": 422,
        "traceId": "0" * 32,
        "errors": [{"pointer": "", "message": "esclusa.toml:3: unknown key"}],
    }
    stub.replies("POST", "/api/v1/reload", Reply(problem, 422))
    assert main(["reload"]) == Exit.MISTAKE
    assert "esclusa.toml:3: unknown key" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_without_a_process_there_is_nobody_to_tell(capsys: Capture) -> None:
    assert main(["reload"]) == Exit.UNREACHABLE
    assert "esclusa run" in capsys.readouterr().err
