"""The page about trying a connector: its commands show what it shows (H10)."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "try.md").read_text(encoding="utf-8")
COMMAND, DOCUMENT = re.findall(r"```sh\nesclusa (.*?)(?: \| jq .*)?\n```", PAGE)
(SHOWN,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
KEY = "8d1f-s3creto"
Capture = pytest.CaptureFixture[str]


class Traffic(BaseHTTPRequestHandler):
    """Answers as the page has it, to whoever shows the key."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == KEY and self.path == "/expedientes/12345678Z"
        said = '{"expedientes": [{"numero": "A-17", "estado": {"descripcion": "En trámite"}}]}'.encode() if known else b"{}"
        self.send_response_only(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing is said."""


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the back end of the page's connector is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DGT_KEY", KEY)
    with ThreadingHTTPServer(("127.0.0.1", 0), Traffic) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        host = f"127.0.0.1:{server.server_port}"
        Path("esclusa.toml").write_text(
            f"""
[connectors.dgt]
url = "http://{host}/expedientes/{{subject}}"
credentials = "dgt"
transform = "expedientes[].{{number: numero, state: estado.descripcion}}"
[credentials.dgt]
kind = "apikey"
header = "Authorization"
value = "${{DGT_KEY}}"
[queries.expedientes]
connectors = ["dgt"]
""",
            encoding="utf-8",
        )
        yield host
        server.shutdown()
        thread.join(10)


def comparable(text: str) -> str:
    """Without what differs from call to call."""
    text = re.sub(r"\b\d+ ms", "N ms", text)
    return re.sub(r"(?<=X-Request-Id: ).*|(?<=traceparent: ).*", "ID", text)


def test_the_command_of_the_page_shows_what_stands_there(host: str, capsys: Capture) -> None:
    assert main(shlex.split(COMMAND)) == Exit.DONE
    said = capsys.readouterr().out.replace("http://" + host, "https://dgt.example").replace(host, "dgt.example")
    assert comparable(said) == comparable(SHOWN)


def test_programs_get_the_same(capsys: Capture) -> None:
    assert main(shlex.split(DOCUMENT)) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["outcome"]["data"] == [{"number": "A-17", "state": "En trámite"}]
