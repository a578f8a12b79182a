"""`esclusa status`: the processes of an installation, its pools and its connectors, and how they are."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from esclusa.cli.client import Absent, Service, connected, service
from esclusa.cli.connectors import COLOURS
from esclusa.cli.exits import Exit
from esclusa.cli.moments import instant, local, time_of_day
from esclusa.cli.options import FILE, Config, Json, Key, Url
from esclusa.cli.output import NARROW, document, harmless, reported, ruled, say, words
from esclusa.edges.http.inventory_wire import ConnectorBody, PoolBody, ProcessBody
from esclusa.edges.http.wire import HealthBody
from esclusa.kernel.clock import Clock

T = TypeVar("T")
_MOST = 20
"""Connectors that are shown, at most."""
_ID = 12
"""Characters of an id, the last ones, that tell processes apart."""


def status(*, config: Config = FILE, url: Url = None, key: Key = None, json: Json = False) -> int:
    """Show whether the service is well, every process of it, how far behind its pools are, and the back ends with trouble.

    Lag is what stands in the log and is not yet done with: requests that wait for their pool, messages of answers that wait \
to be recorded. It is known even when no process of a pool lives.

    For example:

        esclusa status
        esclusa status --url https://hub.example --json
    """
    return reported(lambda: asyncio.run(_status(service(config, url, key, os.environ), json=json)), json=json)


async def _status(where: Service, *, json: bool) -> Exit:
    async with connected(where, Clock()) as client:
        health = await client.health()
        processes = await _if_known(client.processes())
        pools = await _if_known(client.pools())
        connectors = await _if_known(client.connectors())
    if json:
        document(
            {
                "health": health,
                "processes": processes and processes.processes,
                "pools": pools and pools.pools,
                "connectors": connectors and connectors.connectors,
            }
        )
        return Exit.DONE
    for line in _lines(health, [] if processes is None else processes.processes):
        say(line)
    if processes is None:
        say("  which processes there are can't be read right now")
    if pools is None:
        say("  how far behind the pools are can't be read right now")
    console = words()
    if processes is not None:
        _put(_table(processes.processes, console.width), console)
    if pools is not None:
        _put(_pools(pools.pools, None if processes is None else processes.processes, console.width), console)
    if connectors is not None:
        lags = {
            group.connector: group.lag for pool in (pools.pools if pools else ()) for group in pool.groups if group.connector
        }
        _show_connectors(connectors.connectors, lags, console)
    return Exit.DONE


def _put(table: Table, console: Console) -> None:
    """`table`, set off from what stands above; a wide one has space of its own."""
    if console.width < NARROW:
        say()
    console.print(table)


async def _if_known(answer: Awaitable[T]) -> T | None:
    """What the service says; None where it can't say it right now: what else it says is the more wanted then."""
    try:
        return await answer
    except Absent as absent:
        if absent.code is Exit.UNREACHABLE:
            raise
        return None


def _lines(health: HealthBody, processes: list[ProcessBody]) -> list[str]:
    lines: list[str] = [health.status]
    lines += [
        f"  {harmless(loss.part)} is lost since {local(loss.since)}: {harmless(loss.reason)}" for loss in health.lost or ()
    ]
    lines += _differing("configuration", {each.id[-_ID:]: each.configuration for each in processes})
    lines += _differing("version", {each.id[-_ID:]: each.version for each in processes})
    return lines


def _differing(what: str, said: dict[str, str]) -> list[str]:
    """A line for `what` the processes differ in, and one for each kind but the commonest, with the processes that have it."""
    if len(set(said.values())) < 2:  # noqa: PLR2004 - all the same
        return []
    (commonest, _), *others = Counter(said.values()).most_common()
    lines = [f"  not all processes run the same {what}: most have {harmless(commonest)}, but"]
    for other, _ in others:
        lines.append(f"    {harmless(other)}: {harmless(', '.join(process for process, own in said.items() if own == other))}")
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
            harmless(each.id[-_ID:]),
            harmless(each.version),
            harmless(", ".join(each.roles)),
            harmless(", ".join(each.pools)),
            *(() if narrow else (harmless(each.configuration),)),
            local(each.started_at),
            time_of_day(instant(each.seen_at)) if narrow else local(each.seen_at),
            f"{len(each.connectors)}" + (f", {troubled} left alone" if troubled else ""),
        )
    return table


def _pools(pools: list[PoolBody], processes: list[ProcessBody] | None, width: int) -> Table:
    """`processes`: None where they are not known."""
    table = ruled(width)
    table.add_column("Pool", overflow="fold")
    table.add_column("Consumers", no_wrap=True)
    for heading in ("Partitions", "Processes", "Lag", "Answers' lag"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in pools:
        serving = None if processes is None else sum(each.name in process.pools for process in processes)
        table.add_row(
            harmless(each.name),
            f"by {each.consumers}",
            str(each.partitions),
            Text("?" if serving is None else str(serving), style="" if serving != 0 else "red"),
            _lag(each.lag),
            _lag(each.answers_lag),
        )
    return table


def _show_connectors(connectors: list[ConnectorBody], lags: dict[str, int | None], console: Console) -> None:
    """Those that somebody should look at first, and how many more there are."""
    telling = sorted(filter(_tells, connectors), key=_urgency, reverse=True)
    if telling:
        _put(_connectors(telling[:_MOST], lags, console.width), console)
    others = len(connectors) - len(telling[:_MOST])
    if others:
        say(f"{others} {'more ' if telling else ''}connector{'s' if others > 1 else ''}: see esclusa connectors")


def _tells(connector: ConnectorBody) -> bool:
    return connector.breaker != "closed" or not connector.processes or connector.waiting + connector.running > 0


def _urgency(connector: ConnectorBody) -> tuple[bool, bool, int, int]:
    return not connector.processes, connector.breaker != "closed", connector.waiting, connector.running


def _connectors(connectors: list[ConnectorBody], lags: dict[str, int | None], width: int) -> Table:
    table = ruled(width)
    for heading in ("Connector", "Pool"):
        table.add_column(heading, overflow="fold")
    table.add_column("Breaker", no_wrap=True)
    for heading in ("Waiting", "Running", "Processes", *(["Lag"] if lags else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in connectors:
        table.add_row(
            harmless(each.name),
            harmless(each.pool),
            Text(each.breaker, style=COLOURS[each.breaker]),
            str(each.waiting),
            str(each.running),
            Text(str(each.processes), style="" if each.processes else "red"),
            *([_lag(lags[each.name]) if each.name in lags else ""] if lags else []),
        )
    return table


def _lag(lag: int | None) -> str:
    return "-" if lag is None else f"{lag}"
