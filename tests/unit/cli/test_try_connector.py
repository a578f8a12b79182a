"""`esclusa connector try`: one call, with all that can be seen of it, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit

Capture = pytest.CaptureFixture[str]
TRY = ["connector", "try"]


class Body(BaseHTTPRequestHandler):
    """A body that says what it was asked, and the password that it was told."""

    def do_GET(self) -> None:
        found = json.dumps(
            {"asked": self.path, "password": "s3creto", "heard": self.headers.get("Authorization"), "long": "x" * 5000}
        ).encode()
        self.send_response(200 if self.path.startswith("/people") else 500)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def do_POST(self) -> None:
        """A token, for whoever asks."""
        self.rfile.read(int(self.headers["content-length"]))
        found = json.dumps({"access_token": "t0ken/1", "refresh_token": "t0ken-2", "expires_in": 60}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def log_message(self, *_: object) -> None:
        """It is nobody's business."""


@pytest.fixture(autouse=True)
def body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), Body) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        Path("esclusa.toml").write_text(
            f"""
[connectors.dgt]
url = "http://127.0.0.1:{server.server_port}/people/{{subject}}?p={{params.province}}&from={{params.period.from}}"
credentials = "sede"
[connectors.sick]
url = "http://127.0.0.1:{server.server_port}/sick"
retry = {{ attempts = 3, first = "200ms" }}
[connectors.made]
url = "http://127.0.0.1:{server.server_port}/people"
mock = true
[connectors.guarded]
url = "http://127.0.0.1:{server.server_port}/people"
credentials = "sso"
[connectors.lonely]
url = "http://127.0.0.1:{server.server_port}/people"
[credentials.sede]
kind = "basic"
username = "sede"
password = "s3creto"
[credentials.sso]
kind = "oauth2"
url = "http://127.0.0.1:{server.server_port}/token"
clientId = "hub"
clientSecret = "cli3nt"
shown = "form"
[queries.expedientes]
connectors = ["dgt", "sick", "made", "guarded"]
[queries.expedientes.params.province]
type = "province"
[queries.expedientes.params.period]
type = "dateRange"
""",
            encoding="utf-8",
        )
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_what_is_sent_and_what_comes_is_shown_without_secrets(capsys: Capture) -> None:
    asked = ["--subject", "12345678z", "--param", "province=28", "--param", "period=2026-01-01..2026-01-31"]
    assert main([*TRY, "dgt", *asked]) == Exit.DONE
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0].startswith("Request     GET http://127.0.0.1:")
    assert "/people/12345678Z?p=28&from=2026-01-01  after " in lines[0], "as the hub would ask it"
    assert "            Authorization: ***" in lines
    assert any(line.startswith("Answer      200  after ") for line in lines)
    assert '              "password": "***",' in lines
    assert '              "heard": "***",' in lines
    assert "s3creto" not in said
    assert "characters more: --whole" in said
    assert lines[-5].startswith("Outcome     OK, ")
    assert [line.split()[0] for line in lines[-4:]] == ["Timeout", "Retry", "Breaker", "Size"]


def test_a_body_is_shown_whole_if_wanted(capsys: Capture) -> None:
    assert main([*TRY, "dgt", "--subject", "12345678Z", "--whole"]) == Exit.DONE
    assert "x" * 5000 in capsys.readouterr().out.replace("\n", "")


def test_without_an_answer_it_says_why_and_what_the_policies_would_do(capsys: Capture) -> None:
    assert main([*TRY, "sick", "--subject", "12345678Z"]) == Exit.INCOMPLETE
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4] == "Outcome     KO backend_error: It answered with status 500"
    assert lines[-2] == ("Retry       it would be asked 2 more times, after at most 0.2 s, 0.4 s, while the request has time")
    assert lines[-1] == "Breaker     counts it as a failure: 5 in a row open it, for 30 s"


def test_a_made_up_one_says_so(capsys: Capture) -> None:
    assert main([*TRY, "made", "--subject", "12345678Z"]) == Exit.DONE
    said = capsys.readouterr().out
    assert said.startswith("Nothing is sent: it is made up (mock).")
    assert '"mock": true' in said


def test_as_a_document_it_says_the_same(capsys: Capture) -> None:
    assert main([*TRY, "dgt", "--subject", "12345678Z", "--json"]) == Exit.DONE
    said = capsys.readouterr().out
    assert "s3creto" not in said
    document = json.loads(said)
    assert [step["kind"] for step in document["steps"]] == ["request", "answer"]
    assert document["outcome"]["state"] == "OK"
    assert document["outcome"]["data"]["asked"].startswith("/people/12345678Z")
    assert document["elapsed"] >= document["steps"][1]["after"] >= document["steps"][0]["after"]


@pytest.mark.parametrize("as_document", [[], ["--json"]])
def test_how_a_token_is_fetched_is_shown_without_the_token(capsys: Capture, as_document: list[str]) -> None:
    assert main([*TRY, "guarded", "--subject", "12345678Z", *as_document]) == Exit.DONE
    said = capsys.readouterr().out
    assert "grant_type=client_credentials&client_id=hub&client_secret=***" in said
    assert "refresh_token" in said
    assert "t0ken" not in said
    assert "cli3nt" not in said


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (["dgz", "--subject", "12345678Z"], 'there is no connector "dgz" in esclusa.toml: did you mean "dgt"?'),
        (["dgt", "--subject", "1234"], "subject: Not a valid NIF or NIE: 8 digits and their letter, such as 12345678Z"),
        (["dgt", "--subject", "12345678Z", "--param", "provnce=28"], 'the query "expedientes" has no parameter "provnce": '),
        (["dgt", "--subject", "12345678Z", "--query", "x"], 'there is no query "x": '),
        (["dgt", "--subject", "12345678Z", "--param", "period=2026-13-01..2026-01-01"], "period: Dates such as 2026-01-31"),
        (["lonely", "--subject", "12345678Z"], 'no query asks "lonely": say with --query in whose name it is to be asked'),
    ],
)
def test_a_mistake_is_told_with_its_remedy_and_nothing_is_called(capsys: Capture, given: list[str], what: str) -> None:
    assert main([*TRY, *given]) == Exit.MISTAKE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"esclusa: {what}")


def test_one_that_no_query_asks_is_asked_in_the_name_of_the_query_that_is_given(capsys: Capture) -> None:
    assert main([*TRY, "lonely", "--subject", "12345678Z", "--query", "expedientes"]) == Exit.DONE
    assert "Outcome     OK" in capsys.readouterr().out
