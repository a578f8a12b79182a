"""The page of the command line, from its own help and its exit codes."""

from __future__ import annotations

import re

from esclusa.cli import exits
from esclusa.cli.cli import app
from reference.markdown import attribute_docs, joined, listed, row

COMMANDS = """# Command line

What `esclusa --help` says, whole. `FILE` is `esclusa.toml` unless given."""


def commands_page() -> str:
    """Every command with its options, and the exit codes."""
    text = app.generate_docs(heading_level=2)
    return joined(COMMANDS, re.sub(r"(?s)#+ Table of Contents\n.*?(?=\n\*\*|\n## )", "", text).strip())
