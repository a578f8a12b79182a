"""`esclusa run` as an operator has it: a file, a process, bodies on sockets, logs, metrics, and a folder to look into."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.country import Country
from support.poll import until
from support.program import Program, lines, question

NIF = "12345678Z"


async def ask(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    """One question, to its end."""
    answer = await client.post("/api/v1/requests", json=question(**more))
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return await final(client, answer.headers["location"])


def states(snapshot: dict[str, Any]) -> dict[str, str]:
    """By connector."""
    return {answer["connector"]: answer["state"] for answer in snapshot["answers"]}


async def final(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            snapshot: dict[str, Any] = (await client.get(url, headers={"Prefer": "wait=5"})).json()
            if not snapshot["queryMore"]:
                return snapshot


async def test_a_whole_life_in_one_process(tmp_path: Path) -> None:
    """H1, H2, H3, H10, H11, H20, H22, H23, H31, H40, P3, P12."""
    async with Country(["padron", "trafico", "renta"], slowest=0.05).open() as country:
        program = Program(tmp_path, country.connectors(), more='[log]\nlevel = "debug"')
        await program.start()
        try:
            async with program.client() as client:
                snapshot = await ask(client)
                assert snapshot["complete"]
                assert [answer["connector"] for answer in snapshot["answers"]] == ["padron", "trafico", "renta"]
                assert country.calls == Counter({(snapshot["id"], name): 1 for name in country.names})
                metrics = (await client.get("/metrics")).text
                assert 'esclusa_hub_answers_total{connector="padron",reason="ok"} 1.0' in metrics
            assert await program.terminate() == 0
        finally:
            await program.kill()
        said = lines(program.log())
        levels = Counter(line["level"] for line in said if line.get("request") == snapshot["id"])
        # INFO: accepted, three calls, final. DEBUG: every step between.
        assert levels["info"] == 5
        assert levels["debug"] >= 4
        assert NIF not in program.log()


async def test_nothing_about_a_person_is_left_after_the_expiry(tmp_path: Path) -> None:
    """H6: not in rows, logs, queues or files; what is still on the disk can't be opened with the keys that are left."""
    secret = "Calle del Agua"
    async with Country(["padron"], slowest=0.01).open() as country:
        country.says = {"address": secret}
        program = Program(tmp_path, country.connectors(), query='ttl = "1s"\nkeep = "2s"')
        await program.start()
        try:
            async with program.client() as client:
                snapshot = await ask(client)
                assert snapshot["answers"][0]["data"]["address"] == secret
                keys = (tmp_path / "data" / "keys.bin").read_bytes()
                stored = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file())
                assert secret.encode() not in stored
                assert NIF.encode() not in stored
                assert any(keys)
                # Two seconds to live, ten of the key's bucket, five for the purge.
                await until(lambda: destroyed(client))
                assert (await client.get(f"/api/v1/requests/{snapshot['id']}")).status_code == httpx.codes.NOT_FOUND
        finally:
            await program.kill()
        after = (tmp_path / "data" / "keys.bin").read_bytes()
        # No run of eight bytes of what the key file held is there any more, but what never was a secret.
        gone = [keys[place : place + 32] for place in range(0, len(keys) - 32, 8) if len(set(keys[place : place + 32])) > 20]
        assert gone
        assert not [run for run in gone if run in after]


async def destroyed(client: httpx.AsyncClient) -> float:
    metrics = (await client.get("/metrics")).text.splitlines()
    return next((float(line.split()[1]) for line in metrics if line.startswith("esclusa_hub_keys_destroyed_total ")), 0.0)


async def test_a_new_body_and_another_instance_need_nothing_but_the_file(tmp_path: Path) -> None:
    """H4, H12, H15, H40: routing rules, tags, environments, limits of one's own, in the file alone."""
    async with Country(["a", "b", "c"], slowest=0.05).open() as country:
        connectors = f"""
[connectors.a]
url = "http://127.0.0.1:1/"
tags = ["state"]
environments.pro = {{ url = "http://127.0.0.1:{country.ports["a"]}/{{subject}}" }}
[connectors.b]
url = "http://127.0.0.1:{country.ports["b"]}/{{subject}}?province={{params.province}}"
serves = {{ province = ["28"] }}
tags = ["region"]
"""
        more = """
[queries.q.params.province]
type = "province"
[queries.state]
connectors = ["#state"]
"""
        program = Program(tmp_path, connectors, more=more)
        file = program.file
        file.write_text(file.read_text().replace("[esclusa]", '[esclusa]\nenvironment = "pro"'))
        await program.start()
        try:
            async with program.client() as client:
                everyone = await ask(client)
                assert [answer["connector"] for answer in everyone["answers"]] == ["a", "b"]
                assert everyone["complete"]
                assert len((await ask(client, params={"province": "28"}))["answers"]) == 2
                assert len((await ask(client, params={"province": "08"}))["answers"]) == 1
                assert [answer["connector"] for answer in (await ask(client, query="state"))["answers"]] == ["a"]
            await program.terminate()
            file.write_text(file.read_text() + f'[connectors.c]\nurl = "http://127.0.0.1:{country.ports["c"]}/{{subject}}"\n')
            await program.start()
            async with program.client() as client:
                assert [answer["connector"] for answer in (await ask(client))["answers"]] == ["a", "b", "c"]
        finally:
            await program.kill()


async def test_a_sick_body_hurts_nobody_but_itself(tmp_path: Path) -> None:
    """H12, H13, P9: its own limit, its own timeout, its own breaker; the healthy ones answer as ever."""
    async with Country(["well", "slow", "narrow"], slowest=0.02).open() as country:
        country.delays = {"slow": 1.0, "narrow": 0.1}
        connectors = f"""
[connectors.well]
url = "http://127.0.0.1:{country.ports["well"]}/{{subject}}"
[connectors.slow]
url = "http://127.0.0.1:{country.ports["slow"]}/{{subject}}"
timeout = "300ms"
concurrency = 2
breaker = {{ failures = 4, openFor = "1s" }}
[connectors.narrow]
url = "http://127.0.0.1:{country.ports["narrow"]}/{{subject}}"
concurrency = 2
[connectors.down]
url = "http://127.0.0.1:1/{{subject}}"
"""
        program = Program(tmp_path, connectors)
        await program.start()
        try:
            async with program.client() as client:
                posted = [await client.post("/api/v1/requests", json=question()) for _ in range(12)]
                snapshots = [await final(client, answer.headers["location"]) for answer in posted]
                country.delays = {}
                async with asyncio.timeout(10):
                    while states(await ask(client))["slow"] == "ko":
                        pass
                shown = (await client.get("/api/v1/connectors")).json()
        finally:
            await program.kill()
        reasons = Counter(
            (answer["connector"], answer.get("reason", "ok")) for snapshot in snapshots for answer in snapshot["answers"]
        )
        assert reasons["well", "ok"] == 12
        assert reasons["narrow", "ok"] == 12
        assert country.most["narrow"] == 2
        assert reasons["slow", "backend_timeout"] >= 4
        assert reasons["slow", "circuit_open"] == 12 - reasons["slow", "backend_timeout"]
        assert reasons["down", "circuit_open"] > 0
        assert [connector["name"] for connector in shown["connectors"]] == ["well", "slow", "narrow", "down"]


@pytest.mark.parametrize("body", ["not json", '{"query": "q", "subject": "12345678Z", "surprise": 1}'])
async def test_what_is_badly_put_is_named_and_nothing_is_asked(tmp_path: Path, body: str) -> None:
    """P3: an error is a problem that names the place."""
    async with Country(["a"], slowest=0).open() as country:
        program = Program(tmp_path, country.connectors())
        await program.start()
        try:
            async with program.client() as client:
                answer = await client.post("/api/v1/requests", content=body, headers={"Content-Type": "application/json"})
        finally:
            await program.kill()
        assert answer.status_code == httpx.codes.BAD_REQUEST
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.text)["type"] == "/problems/malformed"
        assert not country.calls
