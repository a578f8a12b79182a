"""`esclusa run`: one process of the service, until it is told to end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter

from esclusa.bootstrap import ROLES, Application, Role, serve
from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, ConfigurationFile
from esclusa.cli.output import Failed, reported, say
from esclusa.config.config import ConfigurationText
from esclusa.config.findings import nearest
from esclusa.kernel.errors import ConfigurationError


def run(
    file: ConfigurationFile = FILE,
    /,
    *,
    role: Annotated[
        list[Role] | None, Parameter(help="What this process does; as often as needed; everything unless given.")
    ] = None,
    pool: Annotated[list[str] | None, Parameter(help="Whose connectors it runs; as often as needed; all unless given.")] = None,
) -> int:
    """Run the service until SIGTERM or Ctrl-C; it then finishes what is at hand. Logs go to standard error.

    On SIGHUP it takes the configuration anew, as by "esclusa reload"; secrets and certificates that change in their files it \
takes by itself. While brokers or nodes are away at its start, it waits for them.

    For example:

        esclusa run
        esclusa run /etc/esclusa/esclusa.toml --role connectors --pool slow
    """
    return reported(lambda: _run(file, role, pool), json=False)


def _run(file: Path, roles: list[Role] | None, pools: list[str] | None) -> Exit:
    text = ConfigurationText(file, os.environ)
    configuration = text.configuration()
    for pool in pools or ():
        if pool not in configuration.pools:
            raise Failed(Exit.MISTAKE, f'there is no pool "{pool}": {nearest(pool, configuration.pools)}')
    greeting = partial(_greeting, roles or ROLES)
    try:
        uvloop.run(serve(configuration, roles=roles or ROLES, pools=pools, text=text, started=greeting))
    except ConfigurationError as error:
        raise text.placed(error) from error
    return Exit.DONE


def _greeting(roles: Sequence[Role], application: Application) -> None:
    address = application.server.address
    if address is None:
        return
    if "hub" in roles:
        say(f"Esclusa serves its API at {address.url}, and its documentation at {address.url}/docs. Ctrl-C ends it.")
    else:
        say(f"Esclusa is at work ({', '.join(roles)}), and says how it is at {address.url}/health/ready. Ctrl-C ends it.")
    sys.stdout.flush()
