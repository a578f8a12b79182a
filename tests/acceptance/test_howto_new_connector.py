"""The page that begins with a description: its commands do what it says, from a file and over HTTP."""

from __future__ import annotations

import re
import shlex
import shutil
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit
from support.descriptions import HERE

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "new-connector.md").read_text(encoding="utf-8")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's description, and a WSDL of the page's name."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    (described,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    Path("files.json").write_text(described, encoding="utf-8")
    return tmp_path


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing; `/again` leads to itself."""

    def do_GET(self) -> None:
        if self.path == "/again":
            self.send_response(302)
            self.send_header("Location", "/again")
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1:1/x")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing is said."""


@pytest.fixture
def url(here: Path) -> Iterator[str]:
    """Where the folder is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(here))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


def test_the_commands_of_the_page_work_one_after_the_other(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("export "):
                monkeypatch.setenv(*line.removeprefix("export ").split("=", 1))
            else:
                assert main(shlex.split(line)[1:]) == Exit.DONE, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "GET /people/{nif}/files" in out
    assert "esclusa.toml is sound." in out
    assert 'personId = "{subject}"' in out


def test_what_the_page_shows_is_what_is_written() -> None:
    assert (
        main(
            ["connector", "new", "--openapi", "files.json", "--operation", "listFiles", "--name", "traffic", "--out", "x.toml"]
        )
        == 0
    )
    written = tomllib.loads(Path("x.toml").read_text(encoding="utf-8"))
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    page = tomllib.loads(shown)
    assert page["connectors"] == written["connectors"]
    assert page["credentials"] == written["credentials"]
    assert page["queries"]["traffic"].items() <= written["queries"]["traffic"].items()


@pytest.mark.parametrize(
    ("option", "file", "chosen"), [("--openapi", "expedientes.yaml", "conToken"), ("--wsdl", "census.wsdl", "Person")]
)
def test_a_description_is_had_from_a_url(url: str, capsys: Capture, option: str, file: str, chosen: str) -> None:
    assert main(["connector", "new", option, f"{url}/{file}", "--operation", chosen]) == Exit.DONE
    connector = tomllib.loads(capsys.readouterr().out)["connectors"].popitem()[1]
    if option == "--wsdl":
        assert connector["wsdl"] == f"{url}/{file}"
    else:
        assert connector["url"] == f"{url}/api/token", "its server is beside it"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/none.json", "the answer has status 404"),
        ("/again", "the answer has status 302"),
        ("/elsewhere", "it leads to what is not HTTP"),
    ],
)
def test_a_url_that_leads_nowhere_is_told(url: str, capsys: Capture, path: str, words: str) -> None:
    assert main(["connector", "new", "--openapi", url + path]) == Exit.FAILED
    assert words in capsys.readouterr().err
