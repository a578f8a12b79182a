"""Somebody who asks, and reads the answers as they come: by server-sent events, or by long polls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx

from support.program import question

URL = "/api/v1/requests"
PATIENCE = 40.0
"""Seconds that a client has to have for a long poll."""
WAIT = 25
"""Seconds that a long poll may be held."""


class Event(NamedTuple):
    """A server-sent event."""

    id: str
    name: str
    data: dict[str, Any]


async def ask(client: httpx.AsyncClient, *, key: str | None = None, **more: Any) -> str:
    """The address of a new request; under an idempotency key, of the one that was made first."""
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await client.post(URL, json=question(**more), headers=headers)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return str(answer.headers["location"])


def id_of(url: str) -> str:
    """The request's."""
    return url.rpartition("/")[2]


async def followed(client: httpx.AsyncClient, url: str, *, after: str | None = None) -> AsyncIterator[Event]:
    """The events of a request, after the one whose id is `after`; ends as the stream does, and raises what cuts it."""
    headers = {} if after is None else {"Last-Event-ID": after}
    async with client.stream("GET", f"{url}/events", headers=headers) as stream:
        assert stream.status_code == httpx.codes.OK, await stream.aread()
        fields: dict[str, str] = {}
        async for line in stream.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
                fields = {}


async def polled(client: httpx.AsyncClient, url: str, *, tag: str = "") -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The snapshots of a request with their tags, each as soon as it is another than that of `tag`; the last one is final."""
    while True:
        wait = {"Prefer": f"wait={WAIT}", "If-None-Match": tag} if tag else {}
        answer = await client.get(url, headers=wait)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            continue
        assert answer.status_code == httpx.codes.OK, answer.text
        tag, snapshot = answer.headers["etag"], answer.json()
        yield tag, snapshot
        if not snapshot["queryMore"]:
            return


async def final(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The final snapshot of a request."""
    return [snapshot async for _, snapshot in polled(client, url)][-1]
