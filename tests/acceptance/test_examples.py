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


def said(*command: str | Path, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own
    return done.stdout.splitlines()


def test_a_program_of_ones_own_asks(bodies: dict[str, str]) -> None:
    lines = said(sys.executable, EXAMPLES / "embedded" / "ask.py", environment=bodies)
    assert sorted(lines[:-1]) == ["Civil registry: {'name': 'Ana', 'born': '1980-02-29'}", "Tax office: nothing"]
    assert lines[-1] == "complete"


def test_it_is_told_what_is_missing(bodies: dict[str, str]) -> None:
    lines = said(sys.executable, EXAMPLES / "embedded" / "ask.py", "00000000T", environment=bodies)
    assert sorted(lines) == ["Civil registry: backend_error", "Tax office: nothing", "incomplete"]


def test_the_tutorials_configuration_is_right(bodies: dict[str, str]) -> None:
    esclusa = Path(sys.executable).with_name("esclusa")
    assert said(esclusa, "check", EXAMPLES / "two-bodies" / "esclusa.toml", environment=bodies)
