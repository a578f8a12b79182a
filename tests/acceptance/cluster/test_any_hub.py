"""Any hub serves any request: none holds what the others would need (H7, H31)."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import httpx
import pytest

from support.asking import PATIENCE, URL, ask, final
from support.country import Country
from support.installation import Engines, installed
from support.program import question

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]

OTHER = "a key of somebody else"
CLIENTS = f'[clients.other]\nkey = "{OTHER}"\npermissions = ["ask-for-anyone"]\n'


async def test_who_asks_at_one_reads_repeats_and_cancels_at_another(engines: Engines, tmp_path: Path) -> None:
    country = Country(["a", "b"], slowest=0.1)
    async with installed(engines, tmp_path, country, more=CLIENTS) as it:
        one, two = it.program("one", "hub"), it.program("two", "hub")
        await it.start(one, two, it.program("work", "collector", "connectors"))
        async with one.client(PATIENCE) as first, two.client(PATIENCE) as second:
            key = str(uuid.uuid4())
            url = await ask(first, key=key)
            assert await ask(second, key=key) == url
            another = await second.post(URL, json=question("X1234567L"), headers={"Idempotency-Key": key})
            assert another.status_code == httpx.codes.UNPROCESSABLE_ENTITY
            assert another.json()["type"] == "/problems/idempotency-mismatch"

            shown = await final(second, url)
            assert shown["complete"]
            assert await final(first, url) == shown
            assert (await first.get(url)).headers["etag"] == (await second.get(url)).headers["etag"]

            for client in (first, second):
                theirs = {"Authorization": f"Bearer {OTHER}"}
                for answer in (
                    await client.get(url, headers=theirs),
                    await client.get(f"{url}/events", headers=theirs),
                    await client.delete(url, headers=theirs),
                ):
                    assert (answer.status_code, json.loads(answer.content)["type"]) == (404, "/problems/not-found")

            assert (await second.delete(url)).status_code == httpx.codes.NO_CONTENT
            for client in (first, second):
                assert (await client.get(url)).status_code == httpx.codes.NOT_FOUND
            assert set(country.calls.values()) == {1}
