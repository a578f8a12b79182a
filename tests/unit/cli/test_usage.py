"""A mistake in a command line says what to write instead."""

from __future__ import annotations

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["ask", "example"], '--subject NIF is missing: see "esclusa ask --help"'),
        (["ask", "example", "--subjct", "12345678Z"], "--subject NIF is missing: you wrote --subjct"),
        (["ask", "example", "--subject"], "--subject has no value: write --subject NIF"),
        (["ask"], 'QUERY is missing: see "esclusa ask --help"'),
        (["status", "--config"], "--config has no value: write --config FILE"),
        (["run", "--role"], "--role has no value: write --role ROLE"),
        (["status", "d2.toml"], '"d2.toml" is too much: a configuration is named with --config FILE'),
        (["run", "a.toml", "b.toml"], '"b.toml" is too much: see "esclusa run --help"'),
        *(
            (
                [command, *given],
                f'"esclusa {command}" takes the configuration without an option: write "esclusa {command} FILE"',
            )
            for command in ("run", "check")
            for given in (["--config", "x.toml"], ["--config=x.toml"])
        ),
    ],
)
def test_it_says_the_right_form(capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    assert main(arguments) == Exit.MISTAKE
    assert capsys.readouterr() == ("", f"esclusa: {what}\n")
