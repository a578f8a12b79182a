"""`esclusa status`: whether the service is well, and every process of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from esclusa.cli import main, output
from esclusa.cli.exits import Exit
from support.service import Reply, Stub, problem

Capture = pytest.CaptureFixture[str]


def process(number: int, configuration: str = "ded19b0b9814") -> dict[str, Any]:
    breakers = [("dgt", "closed"), ("padron", "open")]
    return {
        "id": f"01a20493-aebe-7c39-9e5f-00000000000{number}",
        "version": "0.1.0",
        "startedAt": "2026-11-22T10:20:30.000Z",
        "seenAt": "2026-11-22T10:21:30.000Z",
        "roles": ["hub", "connectors"],
        "pools": ["default"],
        "configuration": configuration,
        "connectors": [{"name": name, "breaker": breaker, "waiting": 0, "running": 0} for name, breaker in breakers],
    }


LOST = {"part": "records", "since": "2026-11-22T10:20:30.000Z", "reason": "No answer within 3 s"}


def test_it_shows_each_process(stub: Stub, capsys: Capture) -> None:
    stub.replies("GET", "/health/ready", Reply({"status": "ready"}))
    stub.replies("GET", "/api/v1/processes", Reply({"processes": [process(1), process(2)]}))
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "ready"
    assert "same configuration" not in out
    for words in ("000000000001", "000000000002", "hub, connectors", "ded19b0b9814", "2, 1 left alone"):
        assert words in out
    assert "\x1b" not in out


def test_in_80_columns_no_word_is_broken(stub: Stub, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_WIDE", 80)
    stub.replies("GET", "/health/ready", Reply({"status": "ready"}))
    stub.replies("GET", "/api/v1/processes", Reply({"processes": [process(1)]}))
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    said = out.split()
    for word in ("000000000001", "0.1.0", "hub,", "connectors", "default", "Connectors", "alone"):
        assert word in said


def test_it_says_what_is_lost_and_that_configurations_differ(stub: Stub, capsys: Capture) -> None:
    stub.replies("GET", "/health/ready", Reply({"status": "degraded", "lost": [LOST]}))
    stub.replies("GET", "/api/v1/processes", Reply({"processes": [process(1), process(2, "other")]}))
    assert main(["status"]) == Exit.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "degraded"
    assert lines[1].startswith("  records is lost since 2026-11-22 ")
    assert lines[1].endswith(": No answer within 3 s")
    assert lines[2] == "  not all processes run the same configuration"


def test_with_json_it_is_one_document(stub: Stub, capsys: Capture) -> None:
    stub.replies("GET", "/health/ready", Reply({"status": "degraded", "lost": [LOST]}))
    stub.replies("GET", "/api/v1/processes", Reply({"processes": [process(1)]}))
    assert main(["status", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {
        "health": {"status": "degraded", "lost": [LOST]},
        "processes": [process(1)],
    }


def test_a_process_that_drains_says_so(stub: Stub, capsys: Capture) -> None:
    refusal = problem("unavailable", "The service can't do this right now", 503, detail="This process is draining")
    stub.replies("GET", "/health/ready", Reply(refusal, 503))
    assert main(["status"]) == Exit.REFUSED
    assert capsys.readouterr().err == "esclusa: The service can't do this right now: This process is draining\n"
