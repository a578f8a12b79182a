"""`esclusa status`: the processes of an installation, and how they are."""

from __future__ import annotations

import asyncio
import os

from rich.table import Table

from esclusa.cli.client import Service, connected, service
from esclusa.cli.exits import Exit
from esclusa.cli.moments import instant, local, time_of_day
from esclusa.cli.options import FILE, Config, Json, Key, Url
from esclusa.cli.output import NARROW, document, harmless, reported, ruled, say, words
from esclusa.edges.http.wire import HealthBody, ProcessBody
from esclusa.kernel.clock import Clock

_ID = 12
"""Characters of an id, the last ones, that tell processes apart."""


def status(*, config: Config = FILE, url: Url = None, key: Key = None, json: Json = False) -> int:
    """Show whether the service is well, and every process of it.

    For example:

        esclusa status
        esclusa status --url https://hub.example --json
    """
    return reported(lambda: asyncio.run(_status(service(config, url, key, os.environ), json=json)), json=json)


async def _status(where: Service, *, json: bool) -> Exit:
    async with connected(where, Clock()) as client:
        health, processes = await client.health(), (await client.processes()).processes
    if json:
        document({"health": health, "processes": processes})
        return Exit.DONE
    for line in _lines(health, processes):
        say(line)
    console = words()
    console.print(_table(processes, console.width))
    return Exit.DONE


def _lines(health: HealthBody, processes: list[ProcessBody]) -> list[str]:
    lines: list[str] = [health.status]
    lines += [
        f"  {harmless(loss.part)} is lost since {local(loss.since)}: {harmless(loss.reason)}" for loss in health.lost or ()
    ]
    if len({process.configuration for process in processes}) > 1:
        lines.append("  not all processes run the same configuration")
    return lines


def _table(processes: list[ProcessBody], width: int) -> Table:
    """On a narrow terminal without the configuration, and without the date on which it was seen."""
    narrow = width < NARROW
    table = ruled(width)
    table.add_column("Process", no_wrap=True)
    table.add_column("Version", no_wrap=True)
    table.add_column("Roles", overflow="fold", max_width=11 if narrow else None)
    table.add_column("Pools", overflow="fold")
    if not narrow:
        table.add_column("Configuration", no_wrap=True)
    for heading in ("Started", "Seen", "Connectors"):
        table.add_column(heading, max_width=10 if narrow else None)
    for each in processes:
        troubled = sum(connector.breaker != "closed" for connector in each.connectors)
        table.add_row(
            each.id[-_ID:],
            each.version,
            ", ".join(each.roles),
            ", ".join(each.pools),
            *(() if narrow else (each.configuration,)),
            local(each.started_at),
            time_of_day(instant(each.seen_at)) if narrow else local(each.seen_at),
            f"{len(each.connectors)}" + (f", {troubled} left alone" if troubled else ""),
        )
    return table
