"""The page of the command line, from its own help and its exit codes."""

from __future__ import annotations

import re

from esclusa.cli.cli import command_line
from esclusa.cli.exits import MEANINGS
from reference.markdown import code, joined, listed, row

COMMANDS = """# Command line

What `esclusa --help` says, whole. `FILE` is `esclusa.toml` unless given."""


def commands_page() -> str:
    """Every command with its options, and the exit codes."""
    text = command_line().generate_docs(heading_level=2)
    codes = [row(code([str(int(ended))]), meaning) for ended, meaning in MEANINGS.items()]
    without_contents = re.sub(r"#+ Table of Contents\n.*?(?=\n\*\*|\n#)", "", text, flags=re.DOTALL)
    return joined(COMMANDS, without_contents.strip(), "## Exit codes", listed("Code", "Meaning", rows=codes))
