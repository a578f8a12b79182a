"""What `make demo-cluster` shows of its processes, from their log lines; tests/real runs it."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dev.demo.deeds import PATIENCE, RECENT, Deeds
from dev.demo.screen import ClusterView, Panel, doers
from dev.demo.supervisor import State, Supervised
from dev.node import Node
from rich.console import Console

from esclusa.cli.table import AnswerTable
from esclusa.edges.http.wire import SnapshotBody
from support.service import ID, TITLES, ko, ok, result

HUBS = {"127.0.0.1:1": "hub-1", "127.0.0.1:2": "hub-2"}


def told(*lines: tuple[str, dict[str, Any]]) -> Deeds:
    """What is known after these lines, each of a process."""
    deeds = Deeds(HUBS)
    for process, facts in lines:
        deeds.take(process, msgspec.json.encode(facts))
    return deeds


def called(process: str, connector: str, attempts: int = 1) -> tuple[str, dict[str, Any]]:
    return process, {"event": "call ended", "request": ID, "connector": connector, "attempts": attempts}


def recorded(process: str, *connectors: str) -> tuple[str, dict[str, Any]]:
    return process, {"event": "answers recorded", "request": ID, "connectors": connectors}


def looked(to: str) -> tuple[str, dict[str, Any]]:
    return "nginx", {"event": "passed on", "method": "GET", "path": f"/api/v1/requests/{ID}", "status": "200", "to": to}


def test_who_called_and_who_recorded_is_joined_by_request_and_connector() -> None:
    deeds = told(
        ("hub-1", {"event": "request accepted", "request": ID, "connectors": 3}),
        called("connectors-1", "dgt"),
        called("connectors-2", "padron", attempts=0),
        recorded("collector-2", "dgt", "padron"),
    )
    assert deeds.called(ID, "dgt") == ["connectors-1"]
    assert deeds.called(ID, "padron") == ["connectors-2"], "it has answered, without a call"
    assert deeds.recorded(ID, "padron") == "collector-2"
    assert deeds.done == {"hub-1": 1, "connectors-1": 1, "connectors-2": 0, "collector-2": 2}


def test_whoever_called_again_after_another_had_been_killed_is_named_beside_it() -> None:
    deeds = told(called("connectors-1", "dgt"), called("connectors-2", "dgt"), recorded("collector-1", "dgt"))
    assert doers(deeds, ID, ["connectors-1"]).of("dgt") == "connectors-1, connectors-2 > collector-1"
    assert doers(deeds, ID, ["connectors-1"]).of("padron") == ""


def test_the_last_look_was_served_by_the_hub_that_was_asked_last() -> None:
    assert told().looked(ID) is None
    assert told(looked("127.0.0.1:1")).looked(ID) == "hub-1"
    assert told(looked("127.0.0.1:1"), looked("127.0.0.1:1, 127.0.0.1:2")).looked(ID) == "hub-2"


@pytest.mark.parametrize("line", [b"", b"2026/11/22 [warn] upstream", b'{"event": 1}', b"[]", b"\xff"])
def test_what_is_no_line_of_ours_is_passed_over(line: bytes) -> None:
    deeds = Deeds(HUBS)
    deeds.take("nginx", line)
    assert not deeds.done


def test_of_old_requests_it_is_forgotten() -> None:
    deeds = told(called("connectors-1", "dgt"))
    for number in range(RECENT):
        deeds.take("connectors-1", msgspec.json.encode({"event": "call ended", "request": str(number), "connector": "dgt"}))
    assert deeds.called(ID, "dgt") == []


@pytest.mark.virtual_time
async def test_lines_that_come_late_are_waited_for_but_not_for_ever() -> None:
    loop = asyncio.get_running_loop()
    began, deeds = loop.time(), told(called("connectors-1", "dgt"), recorded("collector-1", "dgt"))
    await deeds.known(ID, ["dgt"])
    assert loop.time() == began
    later = recorded("collector-1", "padron"), called("connectors-1", "padron")
    for process, facts in later:
        loop.call_later(0.1, deeds.take, process, msgspec.json.encode(facts))
    await deeds.known(ID, ["dgt", "padron"])
    assert loop.time() - began == pytest.approx(0.1)
    await deeds.known(ID, ["catastro"])
    assert loop.time() - began == pytest.approx(0.1 + PATIENCE)


def supervised(name: str, role: str, does: str, state: State, pid: int) -> Supervised:
    async def ready() -> bool:
        return True

    server = Supervised(Node(name, "127.0.0.1:1", [], Path(), ready), role, does, print)
    server.state, server.pid = state, pid
    return server


@pytest.mark.parametrize(("width", "height"), [(80, 24), (112, 30), (120, 40)])
def test_processes_stand_above_the_table_and_all_of_it_fits_the_terminal(width: int, height: int) -> None:
    deeds = told(called("connectors-1", "dgt"), recorded("collector-1", "dgt"), looked("127.0.0.1:2"))
    servers = [
        supervised("hub-1", "hub, purge", "accepted", State.ENDED, 4_194_303),
        supervised("collector-1", "collector", "recorded", State.BACK, 11),
        supervised("connectors-1", "pool default", "calls", State.RUNNING, 12),
    ]
    table = AnswerTable("Mis expedientes", TITLES, 100.0, doers(deeds, ID, [each.name for each in servers]))
    view = ClusterView(Panel(servers, deeds), deeds, ID, table)
    answers = [ko("padron", "circuit_open"), *(ok(f"body-{number}") for number in range(40)), ok("dgt")]
    view.update(msgspec.json.decode(msgspec.json.encode(result(answers, ["catastro"])), type=SnapshotBody))
    for number in range(5):
        view.tell(f"event {number}")
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(view.live(101.0, width, height))
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert len(lines) < height
    text = "\n".join(lines)
    for said in ("4194303 ended", "11 back     1 recorded", "12 running  1 calls", "event 4", "hub-2 served the last look"):
        assert said in text
    assert "event 0" not in text
    assert "connectors-1 > collector-1" in text
