"""The command line as a whole."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import esclusa
from esclusa.cli import main
from esclusa.cli.cli import command_line
from esclusa.cli.exits import MEANINGS, Exit

Capture = pytest.CaptureFixture[str]

COMMANDS = ["demo", "init", "check", "setup", "run", "reload", "ask", "status", "connectors", "config"]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_shows_every_command_with_what_it_does_and_the_exit_codes(capsys: Capture, arguments: list[str]) -> None:
    assert main(arguments) == Exit.DONE
    out = capsys.readouterr().out
    for command in COMMANDS:
        (line,) = [line for line in out.splitlines() if line.strip("│ ").startswith(f"{command} ")]
        assert len(line.split()) > 4, line
    for code, meaning in MEANINGS.items():
        assert f"{code:>4}  {meaning}" in out


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != "config"])
def test_each_command_shows_examples_of_its_use(capsys: Capture, command: str) -> None:
    assert main([command, "--help"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "For example:" in out
    assert f"    esclusa {command}" in out


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != "config"])
def test_a_paragraph_of_help_is_one_line_so_that_the_terminal_alone_breaks_it(command: str) -> None:
    said = getattr(import_module(f"esclusa.cli.{command}"), command).__doc__
    for paragraph in inspect.cleandoc(said).split("\n\n"):
        assert paragraph.startswith("    ") or "\n" not in paragraph


def test_the_version_is_that_of_the_package(capsys: Capture) -> None:
    assert main(["--version"]) == Exit.DONE
    assert capsys.readouterr().out.strip() == esclusa.__version__


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["chek"], 'esclusa: Unknown command "chek". Did you mean "check"?'),
        (["check", "--jsno"], "esclusa: Unknown option"),
        (["ask"], "esclusa: "),
        (["run", "--role", "hubb"], "esclusa: Invalid value"),
    ],
)
def test_a_mistake_in_the_command_line_is_a_line_and_no_traceback(capsys: Capture, arguments: list[str], what: str) -> None:
    assert main(arguments) == Exit.MISTAKE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(what)
    assert len(err.splitlines()) == 1


def test_ctrl_c_is_a_line_and_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("esclusa.cli.check.ConfigurationText", interrupted)
    assert main(["check"]) == Exit.INTERRUPTED
    assert capsys.readouterr() == ("", "interrupted\n")


def test_a_reader_who_has_enough_is_no_traceback() -> None:
    program = "import sys; from esclusa.cli import main; sys.exit(main(['config', 'schema']))"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own program
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == Exit.FAILED


def test_what_is_not_needed_is_not_imported() -> None:
    program = (
        "import sys; from esclusa.cli import main; main(['--version']);"
        "print(sorted({'litestar', 'esclusa.bootstrap', 'httpx', 'esclusa.config.config'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_letter_that_the_terminal_lacks_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "esclusa.toml").write_text("[connectors.'ñ']\nurl = 'http://x'", encoding="utf-8")
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from esclusa.cli import main; sys.exit(main(['check']))"],
        capture_output=True,
        cwd=tmp_path,
        env=environ,
        check=False,
    )
    assert done.returncode == Exit.MISTAKE
    assert done.stderr.decode("ascii").startswith('esclusa.toml:1: [connectors."?"] is no name')


def test_nothing_is_shared_between_two_command_lines() -> None:
    assert command_line() is not command_line()
