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


def pool(name: str = "default", lag: int | None = 7, connectors: tuple[str, ...] = ()) -> dict[str, Any]:
    groups = [{"name": f"connector.{each}", "connector": each, "lag": lag} for each in connectors]
    return {
        "name": name,
        "consumers": "connector" if connectors else "pool",
        "partitions": 8,
        "lag": lag,
        "answersLag": 2,
        "groups": groups or [{"name": f"pool.{name}", "lag": lag}],
    }


def connector(name: str, breaker: str = "closed", **change: Any) -> dict[str, Any]:
    said = {"name": name, "title": name, "pool": "default", "tags": [], "breaker": breaker}
    return {**said, "waiting": 0, "running": 0, "processes": 1, **change}


def says(stub: Stub, *processes: Any, pools: Any = (), connectors: Any = (), health: Any = None) -> None:
    """What the service answers."""
    stub.replies("GET", "/health/ready", Reply(health or {"status": "ready"}))
    stub.replies("GET", "/api/v1/processes", Reply({"processes": list(processes)}))
    stub.replies("GET", "/api/v1/pools", Reply({"pools": list(pools)}))
    stub.replies("GET", "/api/v1/connectors", Reply({"connectors": list(connectors)}))


LOST = {"part": "records", "since": "2026-11-22T10:20:30.000Z", "reason": "No answer within 3 s"}


def test_it_shows_each_process(stub: Stub, capsys: Capture) -> None:
    says(stub, process(1), process(2))
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "ready"
    assert "same configuration" not in out
    for words in ("000000000001", "000000000002", "hub, connectors", "ded19b0b9814", "2, 1 left alone"):
        assert words in out
    assert "\x1b" not in out


def test_in_80_columns_no_word_is_broken(stub: Stub, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_WIDE", 80)
    says(stub, process(1), pools=[pool()], connectors=[connector("padron", "half_open")])
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    said = out.split()
    for word in ("000000000001", "0.1.0", "hub,", "connectors", "default", "Connectors", "alone"):
        assert word in said


def test_it_says_what_is_lost_and_that_configurations_differ(stub: Stub, capsys: Capture) -> None:
    says(stub, process(1), process(2), process(3, "other"), health={"status": "degraded", "lost": [LOST]})
    assert main(["status"]) == Exit.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "degraded"
    assert lines[1].startswith("  records is lost since 2026-11-22 ")
    assert lines[1].endswith(": No answer within 3 s")
    assert lines[2] == "  not all processes run the same configuration: most have ded19b0b9814, but"
    assert lines[3] == "    other: 000000000003"


def test_it_shows_how_far_behind_each_pool_is_and_who_serves_it(stub: Stub, capsys: Capture) -> None:
    says(stub, process(1), process(2), pools=[pool(), pool("slow", None)])
    assert main(["status"]) == Exit.DONE
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["default", "by", "pool", "8", "2", "7", "2"] in rows
    assert ["slow", "by", "pool", "8", "0", "-", "2"] in rows


def test_it_shows_the_connectors_that_somebody_should_look_at(stub: Stub, capsys: Capture) -> None:
    troubled = [connector("padron", "open", waiting=3), connector("aeat", processes=0), connector("sepe", running=2)]
    says(stub, process(1), connectors=[connector("dgt"), *troubled, connector("inss")])
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["padron", "default", "open", "3", "0", "1"] in rows
    assert ["aeat", "default", "closed", "0", "0", "0"] in rows
    assert "dgt" not in out
    assert "2 more connectors: see esclusa connectors\n" in out


def test_the_list_of_connectors_is_bounded(stub: Stub, capsys: Capture) -> None:
    says(stub, process(1), connectors=[connector(f"body{number}", running=number) for number in range(1, 1001)])
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    assert len(out.splitlines()) < 60
    assert "body1000" in out
    assert "980 more connectors" in out


def test_where_each_connector_has_a_group_its_lag_is_shown(stub: Stub, capsys: Capture) -> None:
    says(stub, process(1), pools=[pool(connectors=("padron",))], connectors=[connector("padron", "open")])
    assert main(["status"]) == Exit.DONE
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["default", "by", "connector", "8", "1", "7", "2"] in rows
    assert ["padron", "default", "open", "0", "0", "1", "7"] in rows


def test_names_as_long_as_they_may_be_fit_in_80_columns(stub: Stub, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_WIDE", 80)
    name = "a" * 64
    says(stub, process(1), pools=[pool(name, connectors=(name,))], connectors=[connector(name, "half_open", pool=name)])
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "half_open" in out
    assert "Answers' lag" in out


def test_what_can_not_be_read_now_hides_nothing_else(stub: Stub, capsys: Capture) -> None:
    says(stub, process(1), health={"status": "degraded", "lost": [LOST]})
    refusal = problem("unavailable", "The service can't do this right now", 503)
    for path in ("processes", "pools", "connectors"):
        stub.replies("GET", f"/api/v1/{path}", Reply(refusal, 503))
    assert main(["status"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "records is lost since" in out
    assert "which processes there are can't be read right now" in out
    assert "how far behind the pools are can't be read right now" in out
    assert main(["status", "--json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert (said["processes"], said["pools"], said["connectors"]) == (None, None, None)


def test_what_the_service_says_controls_no_terminal(stub: Stub, capsys: Capture) -> None:
    evil = "\x1b[2J\u202e"
    said = process(1) | {"id": evil, "version": evil, "roles": [evil], "pools": [evil], "configuration": evil}
    others = [connector(evil, "open", pool=evil, title=evil, tags=[evil])]
    says(
        stub,
        said,
        process(2),
        pools=[pool(evil)],
        connectors=others,
        health={"status": "ready", "lost": [LOST | {"part": evil}]},
    )
    for command in ("status", "connectors"):
        assert main([command]) == Exit.DONE
        out = capsys.readouterr().out
        assert "[2J" in out
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_with_json_it_is_one_document(stub: Stub, capsys: Capture) -> None:
    says(stub, process(1), pools=[pool()], connectors=[connector("dgt")], health={"status": "degraded", "lost": [LOST]})
    assert main(["status", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {
        "health": {"status": "degraded", "lost": [LOST]},
        "processes": [process(1)],
        "pools": [pool()],
        "connectors": [connector("dgt")],
    }


def test_a_process_that_drains_says_so(stub: Stub, capsys: Capture) -> None:
    refusal = problem("unavailable", "The service can't do this right now", 503, detail="This process is draining")
    stub.replies("GET", "/health/ready", Reply(refusal, 503))
    assert main(["status"]) == Exit.REFUSED
    assert capsys.readouterr().err == "esclusa: The service can't do this right now: This process is draining\n"
