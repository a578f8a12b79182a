"""The command `esclusa`: its commands, and what becomes of what goes wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console
from rich.text import Text

import esclusa
from esclusa.cli.exits import MEANINGS, Exit
from esclusa.cli.usage import explained

_HELP = """Ask many back ends once; see the answers as they come.

To see the whole of it at work: "esclusa demo". With back ends of your own: "esclusa init" writes a configuration, \
"esclusa check" looks at it, "esclusa run" runs it, and "esclusa ask" asks it.

Each command says more of itself: "esclusa ask --help"."""


_COMMANDS = ("demo", "init", "check", "setup", "run", "reload", "ask", "status", "connectors")
"""Each a function in the module of its name, in the order in which help shows them."""


def command_line(*, whole: bool = False) -> App:
    """The parser, with every command. Unless it is `whole`, each is imported when it is used, and says nothing before."""
    app = App(
        name="esclusa",
        help=_HELP,
        help_epilogue="Exit codes\n\n" + "\n".join(f"{code:>4}  {meaning}" for code, meaning in MEANINGS.items()),
        help_format="plaintext",
        version=esclusa.__version__,
        default_parameter=Parameter(negative=(), show_default=False),
        error_formatter=lambda error: Text(f"esclusa: {explained(error)}"),
        result_action="return_value",
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
    )
    for place, name in enumerate(_COMMANDS):
        module = f"esclusa.cli.{name}"
        command = getattr(import_module(module), name) if whole else f"{module}:{name}"
        app.command(command, name=name, help_epilogue="", sort_key=place)
    config = App(name="config", help="About the configuration file.", help_epilogue="", sort_key=len(_COMMANDS))
    config.command("esclusa.cli.schema:schema", name="schema", help="Print its JSON Schema, for editors.", help_epilogue="")
    app.command(config)
    connector = App(name="connector", help="About one back end.", help_epilogue="", sort_key=len(_COMMANDS) - 1)
    for name in ("try", "new"):
        module = f"esclusa.cli.{name}_connector"
        command = getattr(import_module(module), f"{name}_connector") if whole else f"{module}:{name}_connector"
        connector.command(command, name=name, help_epilogue="")
    app.command(connector)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line, that of the process unless given; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show a letter shows another
    try:
        errors = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        given = list(sys.argv[1:] if arguments is None else arguments)
        app = command_line(whole=given in ([], ["connector"]) or given[-1] in ("--help", "-h"))
        result = app(given, error_console=errors)
        sys.stdout.flush()
    except CycloptsError:
        return Exit.MISTAKE
    except KeyboardInterrupt:
        result = Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has enough; let nothing complain at exit
        return Exit.FAILED
    if result == Exit.INTERRUPTED:
        sys.stderr.write("interrupted\n")
    return result if isinstance(result, int) else Exit.DONE
