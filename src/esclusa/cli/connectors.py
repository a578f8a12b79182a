"""`esclusa connectors`: the back ends of an installation, and how they are."""

from __future__ import annotations

import asyncio
import os

from rich.table import Table
from rich.text import Text

from esclusa.cli.client import Service, connected, service
from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, Config, Json, Key, Url
from esclusa.cli.output import NARROW, document, harmless, reported, ruled, words
from esclusa.edges.http.inventory_wire import ConnectorBody
from esclusa.kernel.clock import Clock

COLOURS = {"closed": "green", "half_open": "yellow", "open": "red"}


def connectors(*, config: Config = FILE, url: Url = None, key: Key = None, json: Json = False) -> int:
    """Show every back end: its breaker, what waits for it and what is being asked of it.

    For example:

        esclusa connectors
        esclusa connectors --url https://hub.example --json
    """
    return reported(lambda: asyncio.run(_connectors(service(config, url, key, os.environ), json=json)), json=json)


async def _connectors(where: Service, *, json: bool) -> Exit:
    async with connected(where, Clock()) as client:
        body = await client.connectors()
    if json:
        document(body)
    else:
        console = words()
        console.print(_table(body.connectors, console.width))
    return Exit.DONE


def _table(connectors: list[ConnectorBody], width: int) -> Table:
    """On a narrow terminal without pools and tags, and the title in what is left."""
    narrow = width < NARROW
    table = ruled(width, expand=narrow)
    table.add_column("Connector", no_wrap=True)
    table.add_column("Title", no_wrap=narrow, ratio=1 if narrow else None)
    for heading in () if narrow else ("Pool", "Tags"):
        table.add_column(heading)
    table.add_column("Breaker", no_wrap=True)
    for heading in ("Waiting", "Running", "Processes"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in connectors:
        table.add_row(
            harmless(each.name),
            harmless(each.title),
            *(() if narrow else (harmless(each.pool), harmless(", ".join(each.tags)))),
            Text(each.breaker, style=COLOURS[each.breaker]),
            str(each.waiting),
            str(each.running),
            Text(str(each.processes), style="" if each.processes else "red"),
        )
    return table
