"""The examples run as they stand, against the bodies that come with them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from esclusa import Submission, open_hub

EXAMPLES = Path(__file__).parents[2] / "examples"


class Bodies(SimpleHTTPRequestHandler):
    """A web server that serves files, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def bodies() -> Iterator[dict[str, str]]:
    """An environment in which the bodies of `two-bodies` are where the examples look for them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Bodies, directory=str(EXAMPLES / "two-bodies" / "bodies"))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield os.environ | {"BODIES": f"http://127.0.0.1:{server.server_port}", "TUTORIAL_KEY": "a-key-for-the-tutorial"}
        server.shutdown()
        thread.join()


def done(*command: str | Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own


def ask(*subject: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return done(sys.executable, EXAMPLES / "embedded" / "ask.py", *subject, environment=environment)


def test_a_program_of_ones_own_asks(bodies: dict[str, str]) -> None:
    ended = ask(environment=bodies)
    *lines, last = ended.stdout.splitlines()
    assert sorted(lines) == ["Civil registry: {'name': 'Ana', 'born': '1980-02-29'}", "Tax office: nothing"]
    assert (last, ended.stderr, ended.returncode) == ("complete", "", 0)


def test_it_is_told_what_is_missing(bodies: dict[str, str]) -> None:
    ended = ask("00000000T", environment=bodies)
    *lines, last = ended.stdout.splitlines()
    assert sorted(lines) == ["Civil registry: backend_error, It answered with status 404", "Tax office: nothing"]
    assert (last, ended.stderr, ended.returncode) == ("incomplete", "", 1)


def test_without_bodies_it_is_incomplete_as_well(bodies: dict[str, str]) -> None:
    ended = ask(environment=bodies | {"BODIES": "http://127.0.0.1:1"})
    assert [line.split(",")[0] for line in sorted(ended.stdout.splitlines())] == [
        "Civil registry: backend_error",
        "Tax office: backend_error",
        "incomplete",
    ]
    assert (ended.stderr, ended.returncode) == ("", 1)


def test_a_question_that_cannot_be_put_is_explained(bodies: dict[str, str]) -> None:
    ended = ask("12345678A", environment=bodies)
    assert (ended.stdout, ended.returncode) == ("", 2)
    assert (
        ended.stderr
        == "ask.py: The subject is not valid\n  Not a valid NIF or NIE: 8 digits and their letter, such as 12345678Z\n"
    )


def test_so_is_a_configuration_that_cannot_be_used(bodies: dict[str, str]) -> None:
    ended = ask(environment=bodies | {"BODIES": "nowhere"})
    assert (ended.stdout, ended.returncode) == ("", 2)
    assert "esclusa.toml:8: connectors.registry.url" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_tutorials_configuration_is_right(bodies: dict[str, str]) -> None:
    esclusa = Path(sys.executable).with_name("esclusa")
    ended = done(esclusa, "check", EXAMPLES / "two-bodies" / "esclusa.toml", environment=bodies)
    assert (ended.stderr, ended.returncode) == ("", 0)
    assert ended.stdout


async def test_functions_and_made_up_bodies_are_asked_like_any_other() -> None:
    """H10: what is not a web service has a connector all the same."""
    async with open_hub(EXAMPLES / "functions" / "esclusa.toml") as hub:
        receipt = await hub.submit(Submission(caller="test", query="licences", subject="12345678Z"))
        last = await hub.wait(receipt.id, "test", seconds=20)
        while last.query_more:
            last = await hub.wait(receipt.id, "test", seconds=20, tag=last.tag)
    assert last.complete
    said = {answer.connector: answer.data for answer in last.answers}
    assert said["registry"] == b'{"name":"Ana Garc\xc3\xada"}'
    assert said["archive"] == b'[{"kind":"fishing","year":2021}]'
    assert said["coast"] in {b'{"mooring":"B-12345678Z","since":2019}', None}
