"""The page about sizing shows what the program there says today."""

from __future__ import annotations

import re
import subprocess
import sys

from rules.tree import ROOT

COMMAND = "python3 examples/sizing/sizing.py"


def test_the_page_shows_what_the_program_prints() -> None:
    page = (ROOT / "docs" / "howto" / "sizing.md").read_text(encoding="utf-8")
    (shown,) = re.findall(rf"```console\n\$ {re.escape(COMMAND)}\n(.*?)```", page, re.DOTALL)
    said = subprocess.run(  # noqa: S603 - our own
        [sys.executable, *COMMAND.split()[1:]], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert said.returncode == 0, said.stderr
    assert shown.rstrip() == said.stdout.rstrip()
