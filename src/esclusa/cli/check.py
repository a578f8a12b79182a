"""`esclusa check`: every mistake of a configuration at once, or what it would run."""

from __future__ import annotations

import os
from pathlib import Path

from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, ConfigurationFile, Json
from esclusa.cli.output import document, mistakes, reported, say
from esclusa.config.config import Configuration, load
from esclusa.config.engines import PORTS, engine_of, named_engine
from esclusa.hub.inventory import Inventory


def check(file: ConfigurationFile = FILE, /, *, json: Json = False) -> int:
    """Name every mistake in the configuration, as FILE:LINE: what, and the remedy. Runs nothing.

    Variables of the environment must be set as they are to be when it runs.

    For example:

        esclusa check
        SEDE_KEY=anything-of-16-letters esclusa check /etc/esclusa/esclusa.toml
        esclusa check --json | jq '.mistakes[].what'
    """
    return reported(lambda: _check(file, json=json), json=json)


def _check(file: Path, *, json: bool) -> Exit:
    configuration = load(file, os.environ)
    if json:
        document(mistakes([]))
        return Exit.DONE
    say(f"{file} is sound.")
    for label, text in _contents(configuration):
        say(f"  {label:<12}{text}")
    return Exit.DONE


def _contents(configuration: Configuration) -> list[tuple[str, str]]:
    """What would run, a label and a line each."""
    own, server = configuration.esclusa, configuration.server
    engines = " and ".join(dict.fromkeys(named_engine(own, port) for port in PORTS))
    on_disk = "sqlite" in {engine_of(own, port) for port in PORTS}
    lines = [("storage", f"{engines}, in {own.data}" if on_disk else engines)]
    if own.environment is not None:
        lines.append(("environment", own.environment))
    lines.append(("API", f"http://{server.listen}" + (f", metrics at http://{server.admin}" if server.admin else "")))
    lines.append(("clients", ", ".join(configuration.clients) or "none: only this machine's operator can ask"))
    pools = list(dict.fromkeys(connector.pool for connector in configuration.connectors.values()))
    lines.append(
        ("connectors", f"{len(configuration.connectors)}" + (f", in the pools {', '.join(pools)}" if pools[1:] else ""))
    )
    inventory = Inventory(configuration.connectors, configuration.queries)
    for name, query in configuration.queries.items():
        asked = len(inventory.concerned(name, {}))
        lines.append(("query", f"{name}: asks {asked} of them, answers within {query.ttl}, kept for {query.keep}"))
    if not configuration.queries:
        lines.append(("queries", "none: nothing can be asked yet"))
    return lines
