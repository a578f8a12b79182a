"""`esclusa ask`: one question, and its answers as they come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from esclusa.cli.client import Client, Service, connected, service
from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE, Config, Json, Key, Url
from esclusa.cli.output import Failed, document, reported, words
from esclusa.cli.table import AnswerTable, watch
from esclusa.config.findings import nearest
from esclusa.edges.http.inventory_wire import ConnectorsBody
from esclusa.edges.http.wire import SnapshotBody, SubmissionBody
from esclusa.kernel.clock import Clock


def ask(
    query: Annotated[str, Parameter(help="The name of a query that the service declares.")],
    /,
    *,
    subject: Annotated[str, Parameter(help="Whom it is about: a NIF or NIE, unless the query takes another.")],
    param: Annotated[
        list[str] | None, Parameter(help="NAME=VALUE, as often as needed; a range of dates is NAME=2026-01-01..2026-01-31.")
    ] = None,
    connector: Annotated[list[str] | None, Parameter(help="Ask this one alone; as often as needed.")] = None,
    config: Config = FILE,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> int:
    """Ask, and see the answers as they come: of the process that runs on this machine, or of any service by its URL.

    On a terminal a live table; elsewhere a line an answer; with --json the final result alone.

    For example:

        esclusa ask expedientes --subject 12345678Z
        esclusa ask expedientes --subject 12345678Z --param province=28
        esclusa ask vehiculos --subject 12345678Z --url https://hub.example --json

    The key for --url is best given as ESCLUSA_KEY: a command line can be seen by others.
    """
    return reported(
        lambda: asyncio.run(_ask(service(config, url, key, os.environ), query, subject, param or [], connector, json=json)),
        json=json,
    )


async def _ask(where: Service, name: str, subject: str, given: list[str], connectors: list[str] | None, *, json: bool) -> Exit:
    clock = Clock()
    async with connected(where, clock) as client:
        declared = {each.name: each for each in (await client.queries()).queries}
        if name not in declared:
            raise Failed(Exit.MISTAKE, f'the service has no query "{name}": {nearest(name, declared)}')
        query = declared[name]
        if connectors:
            _known(connectors, await client.connectors())
        kinds = {param.name: param.type for param in query.params}
        submission = SubmissionBody(query=name, subject=subject, params=typed(name, kinds, given), connectors=connectors)
        last = await (silently(client, submission) if json else shown(client, query.title, submission, clock))
    if json:
        document(last)
    return Exit.DONE if last.complete else Exit.INCOMPLETE


def _known(names: list[str], service: ConnectorsBody) -> None:
    """`Failed` with the nearest name for a connector that the service does not have."""
    known = [each.name for each in service.connectors]
    for name in names:
        if name not in known:
            raise Failed(Exit.MISTAKE, f'the service has no connector "{name}": {nearest(name, known)}')


async def silently(client: Client, submission: SubmissionBody) -> SnapshotBody:
    """Ask, and wait for the final result."""
    receipt = await client.submit(submission)
    return [snapshot async for snapshot in client.follow(receipt)][-1]


async def shown(client: Client, title: str, submission: SubmissionBody, clock: Clock) -> SnapshotBody:
    """Ask, and show the answers as they come under the question's `title`; returns the final result."""
    titles = {each.name: each.title for each in (await client.connectors()).connectors}
    began = clock.now()
    receipt = await client.submit(submission)
    return await watch(client.news(receipt), AnswerTable(title, titles, began), words(), clock)


def typed(query: str, kinds: Mapping[str, str], given: list[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts as the API takes them, by the types (`kinds`) that `query` declares; `Failed` for what is no pair."""
    values: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals:
            raise Failed(Exit.MISTAKE, f"--param {pair} is no pair: write NAME=VALUE")
        if name not in kinds:
            raise Failed(Exit.MISTAKE, f'the query "{query}" has no parameter "{name}": {nearest(name, kinds)}')
        values[name] = _value(kinds[name], text)
    return values


def _value(kind: str, text: str) -> Any:
    """What can't be what it should be is sent as it is: the service says what is wrong with it."""
    first, dots, last = text.partition("..")
    if kind == "dateRange" and dots:
        return {"from": first, "to": last}
    if kind == "number":
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
    return text
