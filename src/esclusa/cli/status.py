"""`esclusa status`: the processes of an installation, and how they are."""

from __future__ import annotations

import asyncio
import os

from rich.box import SIMPLE_HEAD
from rich.table import Table

from esclusa.cli.client import Service, connected, service
from esclusa.cli.exits import Exit
from esclusa.cli.moments import local
from esclusa.cli.options import FILE, Config, Json, Key, Url
from esclusa.cli.output import document, harmless, reported, say, words
from esclusa.edges.http.wire import HealthBody, ProcessBody
from esclusa.kernel.clock import Clock


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
    words().print(_table(processes))
    return Exit.DONE


def _lines(health: HealthBody, processes: list[ProcessBody]) -> list[str]:
    lines: list[str] = [health.status]
    lines += [
        f"  {harmless(loss.part)} is lost since {local(loss.since)}: {harmless(loss.reason)}" for loss in health.lost or ()
    ]
    if len({process.configuration for process in processes}) > 1:
        lines.append("  not all processes run the same configuration")
    return lines


def _table(processes: list[ProcessBody]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Process", "Version", "Roles", "Pools", "Configuration", "Started", "Seen", "Connectors"):
        table.add_column(heading, overflow="fold")
    for each in processes:
        troubled = sum(connector.breaker != "closed" for connector in each.connectors)
        table.add_row(
            each.id[-12:],
            each.version,
            ", ".join(each.roles),
            ", ".join(each.pools),
            each.configuration,
            local(each.started_at),
            local(each.seen_at),
            f"{len(each.connectors)}" + (f", {troubled} left alone" if troubled else ""),
        )
    return table
