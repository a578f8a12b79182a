"""`esclusa run`: one process of the service, until it is told to end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit

Capture = pytest.CaptureFixture[str]

CONFIGURATION = "[esclusa]\nengine = 'memory'\ndata = 'data'\n[server]\nlisten = '127.0.0.1:0'\n[pools.slow]\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("esclusa.toml").write_text(CONFIGURATION, encoding="utf-8")


def test_it_says_where_it_serves_and_ends_in_order_when_told_to(capsys: Capture) -> None:
    program = "import sys; from esclusa.cli import main; sys.exit(main(['run']))"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            assert process.stdout
            greeting = process.stdout.readline()
            words = greeting.split()
            address = words[words.index("at") + 1].rstrip(",")
            assert f"its documentation at {address}/docs." in greeting
            assert httpx.get(f"{address}/health/ready").json() == {"status": "ready"}
            assert main(["status"]) == Exit.DONE
            assert "hub, collector" in capsys.readouterr().out
        finally:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
    assert out == ""
    assert process.returncode == Exit.DONE


def test_a_pool_that_there_is_not_is_a_mistake_with_the_nearest(capsys: Capture) -> None:
    assert main(["run", "--pool", "slwo"]) == Exit.MISTAKE
    assert capsys.readouterr().err == 'esclusa: there is no pool "slwo": did you mean "slow"?\n'


def test_a_wrong_configuration_is_not_run(capsys: Capture) -> None:
    Path("esclusa.toml").write_text("[esclusa]\nengine = 'kafca'", encoding="utf-8")
    assert main(["run"]) == Exit.MISTAKE
    assert capsys.readouterr().err.startswith('esclusa.toml:2: esclusa.engine can\'t be "kafca"')


def test_an_address_that_is_taken_is_told_without_a_traceback(capsys: Capture) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        Path("esclusa.toml").write_text(CONFIGURATION.replace("127.0.0.1:0", address), encoding="utf-8")
        assert main(["run"]) == Exit.FAILED
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"esclusa: {address} can't be served on")


@pytest.mark.parametrize("part", [["--role", "hub"], ["--pool", "default"]])
def test_a_process_that_nobody_can_join_does_everything(capsys: Capture, part: list[str]) -> None:
    assert main(["run", *part]) == Exit.MISTAKE
    assert "belongs to one process" in capsys.readouterr().err
