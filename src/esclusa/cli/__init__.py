"""The command line: the one thing above `bootstrap`, one module a command.

Promises: no traceback for a user's mistake; without a terminal plain lines and no control codes; with `--json` one JSON
document on standard output and nothing else; exit codes as in `exits`. Needs: everything. Emits: nothing.
"""

from esclusa.cli.cli import main

__all__ = ["main"]
