"""`esclusa check`: every mistake of a configuration at once, or what it would run, and whether what it needs is there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from esclusa.bootstrap import Runtime, make_backends, make_workshop
from esclusa.cli.engines import ConfiguredEngines
from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, ConfigurationFile, Json
from esclusa.cli.output import document, harmless, mistakes, reported, say, tell
from esclusa.config.config import Configuration, ConfigurationText
from esclusa.config.engines import PORTS, engine_of, named_engine
from esclusa.config.findings import nearest
from esclusa.connectors.settings import ConnectorSettings
from esclusa.hub.inventory import Inventory
from esclusa.kernel.errors import ConfigurationError, Mistake
from esclusa.kernel.settings import files_of
from esclusa.ports.installation import Finding, State

_MARKS: Mapping[State, str] = {"sound": "✓", "doubtful": "!", "wrong": "✗"}


def check(
    file: ConfigurationFile = FILE,
    /,
    *,
    connect: Annotated[
        bool,
        Parameter(
            help="Try the engines too: reach them, log in, look at topics, tables, rights. Changes nothing on them. Read WSDLs by their URL."
        ),
    ] = False,
    json: Json = False,
) -> int:
    """Name every mistake in the configuration, as FILE:LINE: what, and the remedy. Runs nothing.

    Variables of the environment must be set as they are to be when it runs.

    With --connect every part of the engines is tried for real, and what is wrong is told with its remedy, all at once; the \
exit code is 1 then. Back ends are not called.

    For example:

        esclusa check
        SEDE_KEY=anything-of-16-letters esclusa check /etc/esclusa/esclusa.toml
        esclusa check --json | jq '.mistakes[].what'
        esclusa check --connect
    """
    return reported(lambda: _check(file, connect=connect, json=json), json=json)


def _check(file: Path, *, connect: bool, json: bool) -> Exit:
    text = ConfigurationText(file, os.environ)
    configuration = text.configuration()
    try:
        asyncio.run(_made(configuration, connect=connect))
    except ConfigurationError as error:
        raise text.placed(error) from error
    if not json:
        say(f"{file} is sound.")
        for label, what in _contents(configuration, text):
            say(f"  {label:<12}{what}")
    found = asyncio.run(_inspected(configuration)) if connect else []
    wrong = [finding for _, finding in found if finding.state == "wrong"]
    if json:
        parts = [{"engine": engine, **msgspec.to_builtins(finding)} for engine, finding in found]
        document(mistakes([]) | ({"ready": not wrong, "parts": parts} if connect else {}))
    elif connect:
        _show(found, len(wrong))
    return Exit.FAILED if wrong else Exit.DONE


async def _made(configuration: Configuration, *, connect: bool) -> None:
    """Make every back end that can be made without calling anybody, or all: what they need of files is there and fits."""
    workshop = make_workshop(configuration, Runtime.real())
    wrong: list[Mistake] = []
    for name, settings in configuration.connectors.items():
        if _is_elsewhere(settings) and not connect:
            continue
        try:
            backends = make_backends(configuration, [name], workshop)
        except ConfigurationError as error:
            wrong += error.mistakes
        else:
            await backends[name].close()
    if wrong:
        raise ConfigurationError(wrong)


def _is_elsewhere(settings: ConnectorSettings) -> bool:
    return any("://" in place for place in files_of(settings).values())


async def _inspected(configuration: Configuration) -> list[tuple[str, Finding]]:
    """What is found out about every part, after the name of its engine; engines are looked at side by side."""
    configured = ConfiguredEngines.of(configuration)
    found = await asyncio.gather(*[engine.installation.inspect(configured.topics) for _, engine in configured.engines])
    return [(name, each) for (name, _), its in zip(configured.engines, found, strict=True) for each in its]


def _show(found: Sequence[tuple[str, Finding]], wrong: int) -> None:
    """A line a part; a remedy stands below all parts that it is for."""
    for engine, its in groupby(found, lambda each: each[0]):
        say(engine)
        for remedy, findings in groupby((finding for _, finding in its), lambda finding: finding.remedy):
            for finding in findings:
                tell(f"  {_MARKS[finding.state]} {finding.part}: {harmless(finding.what)}", 6)
            if remedy:
                tell(f"      {harmless(remedy)}", 6)
    if wrong:
        say(f"Not ready: {wrong} of {len(found)} parts {'is' if wrong == 1 else 'are'} wrong.")
    else:
        say("All that is needed is there.")


def _contents(configuration: Configuration, text: ConfigurationText) -> list[tuple[str, str]]:
    """What would run, a label and a line each."""
    own, server, known = configuration.esclusa, configuration.server, text.environments()
    engines = " and ".join(dict.fromkeys(named_engine(own, port) for port in PORTS))
    on_disk = "sqlite" in {engine_of(own, port) for port in PORTS}
    lines = [("storage", f"{engines}, in {own.data}" if on_disk else engines)]
    if own.environment is not None:
        known_to_some = own.environment in known or not known
        unknown = "" if known_to_some else f", for which no connector has anything: {nearest(own.environment, known)}"
        lines.append(("environment", own.environment + unknown))
    lines.append(("API", f"http://{server.listen}" + (f", metrics at http://{server.admin}" if server.admin else "")))
    lines.append(("clients", ", ".join(configuration.clients) or "none: only this machine's operator can ask"))
    pools = list(dict.fromkeys(connector.pool for connector in configuration.connectors.values()))
    lines.append(
        ("connectors", f"{len(configuration.connectors)}" + (f", in the pools {', '.join(pools)}" if pools[1:] else ""))
    )
    inventory = Inventory(configuration.connectors, configuration.queries)
    for name, query in configuration.queries.items():
        concerned = len(inventory.concerned(name, {}))
        lines.append(("query", f"{name}: asks {concerned} of them, answers within {query.ttl}, kept for {query.keep}"))
    if not configuration.queries:
        lines.append(("queries", "none: nothing can be asked yet"))
    return lines
