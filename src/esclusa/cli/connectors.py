"""`esclusa connectors`: the back ends of an installation, and how they are."""

from __future__ import annotations

import asyncio
import os

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from esclusa.cli.client import Service, connected, service
from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, Config, Json, Key, Url
from esclusa.cli.output import document, harmless, reported, words
from esclusa.edges.http.wire import ConnectorBody
from esclusa.kernel.clock import Clock

_COLOURS = {"closed": "green", "half_open": "yellow", "open": "red"}


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
        words().print(_table(body.connectors))
    return Exit.DONE


def _table(connectors: list[ConnectorBody]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Connector", "Title", "Pool", "Tags", "Breaker"):
        table.add_column(heading)
    for heading in ("Waiting", "Running", "Processes"):
        table.add_column(heading, justify="right")
    for each in connectors:
        table.add_row(
            each.name,
            harmless(each.title),
            each.pool,
            harmless(", ".join(each.tags)),
            Text(each.breaker, style=_COLOURS[each.breaker]),
            str(each.waiting),
            str(each.running),
            Text(str(each.processes), style="" if each.processes else "red"),
        )
    return table
