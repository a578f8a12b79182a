"""`esclusa config schema`: for editors."""

from __future__ import annotations

import json

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit
from esclusa.config.config import schema


def test_it_prints_the_schema_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == Exit.DONE
    out, err = capsys.readouterr()
    assert json.loads(out) == schema()
    assert err == ""
