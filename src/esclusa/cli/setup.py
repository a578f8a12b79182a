"""`esclusa setup`: topics, keyspaces and tables, made or printed for who has to make them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from esclusa.bootstrap import Engine
from esclusa.cli.engines import ConfiguredEngines
from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, ConfigurationFile, Json
from esclusa.cli.output import Failed, document, reported, say
from esclusa.config.config import load
from esclusa.config.findings import nearest
from esclusa.kernel.errors import StorageError
from esclusa.kernel.lifecycle import Lifecycle
from esclusa.ports.log import Topic


def setup(
    file: ConfigurationFile = FILE,
    /,
    *,
    script: Annotated[
        bool, Parameter(name="--print", help="Make nothing: print what somebody who may make it has to run instead.")
    ] = False,
    engine: Annotated[str | None, Parameter(help="This engine alone, such as kafka; all unless given.")] = None,
    json: Json = False,
) -> int:
    """Make what the configuration needs of Kafka and Cassandra, and is not there: topics, keyspaces, tables.

    Every process does it at its start, where its user has the right. What is there stays as it is.

    For example:

        esclusa setup
        esclusa setup --print --engine cassandra | cqlsh
        esclusa setup --print --engine kafka > topics.sh
    """
    return reported(lambda: asyncio.run(_setup(file, engine, script=script, json=json)), json=json)


async def _setup(file: Path, only: str | None, *, script: bool, json: bool) -> Exit:
    configured = ConfiguredEngines.of(load(file, os.environ))
    names = [name for name, _ in configured.engines]
    if only is not None and only not in names:
        raise Failed(Exit.MISTAKE, f'this configuration does not use the engine "{only}": {nearest(only, names)}')
    engines = [(name, engine) for name, engine in configured.engines if only in {None, name}]
    try:
        if script:
            _print({name: engine.installation.script(configured.topics) for name, engine in engines}, json=json)
        else:
            await _make(engines, configured.topics, json=json)
            if not json:
                say(f"All that {file} needs is there.")
    except StorageError as error:
        raise Failed(Exit.FAILED, f'{error}\n"esclusa check --connect" looks at every part') from error
    return Exit.DONE


async def _make(engines: Sequence[tuple[str, Engine]], topics: Sequence[Topic], *, json: bool) -> None:
    """One after the other: where one fails, what was made before it has been told."""
    every: list[dict[str, Any]] = []
    for name, engine in engines:
        async with Lifecycle([engine]):
            made = await engine.upkeep.setup(topics)
        every += [{"engine": name, **msgspec.to_builtins(each)} for each in made]
        if not json:
            say(name)
            for each in made:
                say(f"  {'made' if each.new else 'there':<7}{each.what}")
    if json:
        document({"made": every})


def _print(scripts: dict[str, str], *, json: bool) -> None:
    if json:
        document({"scripts": [{"engine": name, "script": script} for name, script in scripts.items()]})
        return
    say("\n".join(script for script in scripts.values() if script).rstrip() or "# Nothing has to be made by anybody.")
