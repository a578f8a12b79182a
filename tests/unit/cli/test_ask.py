"""`esclusa ask`: one question, and its answers as they come."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from esclusa.cli import main
from esclusa.cli.ask import typed
from esclusa.cli.exits import Exit
from esclusa.cli.output import Failed
from esclusa.edges.http.inventory_wire import QueriesBody
from support.service import ID, Reply, Stub, ko, ok, problem, receipt, result

Capture = pytest.CaptureFixture[str]

ASK = ["ask", "expedientes", "--subject", "12345678Z"]
STATUS = f"/api/v1/requests/{ID}"


def submitted(stub: Stub) -> Any:
    (request,) = [request for request in stub.received if request.method == "POST"]
    return json.loads(request.body)


def test_without_a_terminal_it_prints_a_line_an_answer_and_the_end(stub: Stub, capsys: Capture) -> None:
    assert main(ASK) == Exit.DONE
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "ok   0.25 s  Dirección General de Tráfico: Permiso B, points: 12",
        "ok   0.25 s  Padrón municipal: nothing about this person",
        "complete: 2 bodies in 0.5 s",
    ]
    assert err == ""
    assert submitted(stub) == {"query": "expedientes", "subject": "12345678Z", "params": {}, "connectors": None}


def test_an_answer_that_is_missing_is_another_exit_code(stub: Stub, capsys: Capture) -> None:
    stub.replies("GET", STATUS, Reply(result([ok("dgt"), ko("padron", "circuit_open", "It is left alone for a while")])))
    assert main(ASK) == Exit.INCOMPLETE
    assert capsys.readouterr().out.splitlines()[-1] == "  Padrón municipal: circuit_open, It is left alone for a while"


@pytest.mark.usefixtures("stub")
def test_with_json_the_final_result_is_all_that_is_printed(capsys: Capture) -> None:
    assert main([*ASK, "--json"]) == Exit.DONE
    out, err = capsys.readouterr()
    assert json.loads(out) == result([ok("dgt", [{"label": "Permiso B", "points": 12}]), ok("padron")])
    assert err == ""


def test_parameters_and_connectors_go_with_it(stub: Stub) -> None:
    more = ["--param", "province=28", "--param", "limit=5", "--param", "period=2026-01-01..2026-01-31"]
    assert main([*ASK, *more, "--connector", "dgt", "--connector", "padron"]) == Exit.DONE
    body = submitted(stub)
    assert body["params"] == {"province": "28", "limit": 5, "period": {"from": "2026-01-01", "to": "2026-01-31"}}
    assert body["connectors"] == ["dgt", "padron"]


def test_a_query_that_there_is_not_is_a_mistake_with_the_nearest(stub: Stub, capsys: Capture) -> None:
    assert main(["ask", "expediente", "--subject", "x"]) == Exit.MISTAKE
    assert capsys.readouterr().err == 'esclusa: the service has no query "expediente": did you mean "expedientes"?\n'
    assert len(stub.received) == 1


def test_a_connector_that_there_is_not_is_a_mistake_with_the_nearest(stub: Stub, capsys: Capture) -> None:
    assert main([*ASK, "--connector", "dgt", "--connector", "padon"]) == Exit.MISTAKE
    assert capsys.readouterr().err == 'esclusa: the service has no connector "padon": did you mean "padron"?\n'
    assert all(request.method == "GET" for request in stub.received)


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    ("param", "what"),
    [
        ("province", "--param province is no pair: write NAME=VALUE"),
        ("provnce=28", 'the query "expedientes" has no parameter "provnce": did you mean "province"?'),
    ],
)
def test_a_parameter_that_is_none_is_a_mistake(capsys: Capture, param: str, what: str) -> None:
    assert main([*ASK, "--param", param]) == Exit.MISTAKE
    assert capsys.readouterr().err == f"esclusa: {what}\n"


def test_values_are_sent_as_the_query_declares_them_and_judged_by_the_service(stub: Stub) -> None:
    query = msgspec.convert(stub.answer_to("/api/v1/queries"), QueriesBody).queries[0]
    kinds = {param.name: param.type for param in query.params}
    assert typed("expedientes", kinds, ["province=a=b", "limit=2.5", "period=yesterday"]) == {
        "province": "a=b",
        "limit": 2.5,
        "period": "yesterday",
    }
    assert typed("expedientes", kinds, ["limit=many"]) == {"limit": "many"}
    with pytest.raises(Failed):
        typed("expedientes", kinds, ["=28"])


def test_what_the_service_refuses_is_told_in_its_words(stub: Stub, capsys: Capture) -> None:
    refusal = problem("invalid-subject", "The subject is not valid", 422, errors=[{"pointer": "/subject", "message": "No NIF"}])
    stub.replies("POST", "/api/v1/requests", Reply(refusal, 422))
    assert main(ASK) == Exit.REFUSED
    assert capsys.readouterr() == ("", "esclusa: The subject is not valid\nesclusa:   subject: No NIF\n")
    assert main([*ASK, "--json"]) == Exit.REFUSED
    assert json.loads(capsys.readouterr().out) == refusal


@pytest.mark.usefixtures("here")
def test_with_nobody_there_it_says_so(capsys: Capture) -> None:
    assert main(ASK) == Exit.UNREACHABLE
    assert 'start one with "esclusa run"' in capsys.readouterr().err
    assert main([*ASK, "--json"]) == Exit.UNREACHABLE
    assert "start one" in json.loads(capsys.readouterr().out)["title"]


@pytest.mark.usefixtures("here")
def test_the_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("ESCLUSA_KEY", "hunter2\x01")
    assert main([*ASK, "--url", "http://127.0.0.1:1"]) == Exit.MISTAKE
    assert "ESCLUSA_KEY" in capsys.readouterr().err


def test_a_receipt_for_nobody_is_complete(stub: Stub, capsys: Capture) -> None:
    stub.replies("POST", "/api/v1/requests", Reply(receipt(), 202))
    stub.replies("GET", STATUS, Reply(result([])))
    assert main(ASK) == Exit.DONE
    assert capsys.readouterr().out == "complete: the question concerns nobody\n"
