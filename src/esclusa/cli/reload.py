"""`esclusa reload`: a running process takes its configuration anew."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from esclusa.cli.client import connected, service
from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, ConfigurationFile, Json
from esclusa.cli.output import document, harmless, reported, say
from esclusa.kernel.clock import Clock


def reload(file: ConfigurationFile = FILE, /, *, json: Json = False) -> int:
    """Have the process that runs this configuration take it anew: whole, or not at all. What is in flight goes on.

    Connectors, credentials, queries, clients and the level of the log may change; all else needs a restart. It is of one \
process, the one whose data folder the configuration names. SIGHUP does the same, and the log says what came of it.

    For example:

        esclusa reload
        esclusa reload /etc/esclusa/esclusa.toml --json
    """
    return reported(lambda: asyncio.run(_reload(file, json=json)), json=json)


async def _reload(file: Path, *, json: bool) -> Exit:
    async with connected(service(file, None, None, os.environ), Clock()) as client:
        done = await client.reload()
    if json:
        document(done)
        return Exit.DONE
    changes = [("+", done.added), ("~", done.changed), ("-", done.removed)]
    for sign, names in changes:
        for name in names:
            say(f"  {sign} {harmless(name)}")
    say(f"configuration {done.configuration}" + ("" if any(names for _, names in changes) else ": nothing has changed"))
    return Exit.DONE
