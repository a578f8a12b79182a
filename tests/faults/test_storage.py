"""What storage does to a process: a full disk, a folder that can't be written, a folder that is another's."""

from __future__ import annotations

import asyncio
import os
import resource
from functools import partial
from pathlib import Path

import httpx
import pytest

from support.country import Country
from support.poll import until
from support.program import Program, lines, question

pytestmark = pytest.mark.real

NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


async def accepted(client: httpx.AsyncClient) -> str:
    """The address of a new request; empty when it isn't taken."""
    return str((await client.post("/api/v1/requests", json=question())).headers.get("location", ""))


async def test_on_a_full_disk_nothing_is_accepted_and_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    async with Country(["a", "b"], slowest=0.05).open() as country:
        program = Program(tmp_path, country.connectors())
        await program.start()
        try:
            assert program.process is not None
            async with program.client() as client:
                first = await client.post("/api/v1/requests", json=question())
                assert first.status_code == httpx.codes.ACCEPTED
                # No file of the process grows any more, which is what a full disk looks like from inside.
                resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
                for _ in range(20):
                    answer = await client.post("/api/v1/requests", json=question())
                    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
                    assert answer.json()["type"] == "/problems/unavailable"
                ready = await client.get("/health/ready")
                assert ready.status_code == httpx.codes.OK
                resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, NO_LIMIT)
                url = await until(lambda: accepted(client), seconds=10)
                async with asyncio.timeout(9):
                    while (answer := await client.get(url, headers={"Prefer": "wait=5"})).json()["queryMore"]:
                        pass
                assert answer.json()["complete"]
        finally:
            await program.kill()


async def test_what_was_asked_when_nothing_could_be_written_any_more_is_answered_once_it_can(tmp_path: Path) -> None:
    async with Country(["a", "b"], slowest=0).open() as country:
        country.delays = {"a": 0.05, "b": 2.0}
        program = Program(tmp_path, country.connectors())
        await program.start()
        try:
            assert program.process is not None
            async with program.client() as client:
                urls = [await accepted(client) for _ in range(10)]
                for url in urls:
                    await until(partial(waits, client, url, "b"))
                # From here on its files can be read and not written, as on a file system that has become read-only.
                resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
                await until(partial(idle, country))
                await until(partial(refused, client))
                for url in urls:
                    assert await waits(client, url, "b")
                resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, NO_LIMIT)
                for url in urls:
                    async with asyncio.timeout(9):
                        while (answer := await client.get(url, headers={"Prefer": "wait=5"})).json()["queryMore"]:
                            pass
                    assert answer.json()["complete"]
            assert set(country.calls.values()) == {1}
        finally:
            await program.kill()


async def waits(client: httpx.AsyncClient, url: str, name: str) -> bool:
    """Whether `name`, and nobody else, has not answered yet."""
    answer = await client.get(url)
    assert answer.status_code == httpx.codes.OK, answer.text
    return bool(answer.json()["pending"] == [name])


async def idle(country: Country) -> bool:
    """Whether every body has answered all that it was asked."""
    return not country.busy.total()


async def refused(client: httpx.AsyncClient) -> bool:
    """Whether storage has refused something since the start. Its log could not tell: it is a file too."""
    return "esclusa_storage_errors_total{" in (await client.get("/metrics")).text


async def test_a_folder_that_has_become_read_only_is_refused_in_words_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    async with Country(["a"], slowest=0.05).open() as country:
        program = Program(tmp_path, country.connectors())
        data = tmp_path / "data"
        await program.start()
        try:
            async with program.client() as client:
                url = await accepted(client)
                assert (await client.get(url, headers={"Prefer": "wait=5"})).json()["complete"]
            await program.kill()
            before = {file.name: file.read_bytes() for file in data.iterdir() if file.is_file()}
            for path, mode in [*((file, 0o400) for file in data.iterdir()), (data, 0o500)]:
                path.chmod(mode)
            if os.geteuid() == 0:  # to whom modes mean nothing, unless he gives this right away
                program.before = ["setpriv", "--bounding-set=-dac_override"]
            await program.start(ready=False)
            assert program.process is not None
            async with asyncio.timeout(20):
                assert await program.process.wait() != 0
            assert str(data) in program.log()
            assert "Traceback" not in program.log()
            assert {file.name: file.read_bytes() for file in data.iterdir() if file.is_file()} == before
            for path, mode in [(data, 0o700), *((file, 0o600) for file in data.iterdir())]:
                path.chmod(mode)
            program.before = []
            await program.start()
            async with program.client() as client:
                assert (await client.get(url)).json()["complete"]
        finally:
            await program.kill()


async def test_a_second_process_on_the_same_folder_is_refused_by_name(tmp_path: Path) -> None:
    first = Program(tmp_path, '[connectors.a]\nurl = "http://127.0.0.1:1/"\n')
    await first.start()
    try:
        (tmp_path / "other").mkdir()
        second = Program(tmp_path / "other", '[connectors.a]\nurl = "http://127.0.0.1:1/"\n', data=str(tmp_path / "data"))
        await second.start(ready=False)
        assert second.process is not None
        assert first.process is not None
        async with asyncio.timeout(20):
            assert await second.process.wait() != 0
        assert str(first.process.pid) in second.log()
        assert "Traceback" not in second.log()
        assert await first.answers("/health/ready")
    finally:
        await first.kill()


async def test_a_folder_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    program = Program(tmp_path, '[connectors.a]\nurl = "http://127.0.0.1:1/"\n', data="/proc/esclusa")
    await program.start(ready=False)
    assert program.process is not None
    async with asyncio.timeout(20):
        assert await program.process.wait() != 0
    assert "/proc/esclusa" in program.log()
    assert "Traceback" not in program.log()


async def test_sigterm_drains_and_a_second_run_continues(tmp_path: Path) -> None:
    async with Country(["a", "b", "c"], slowest=1.5).open() as country:
        program = Program(tmp_path, country.connectors(concurrency=2))
        await program.start()
        try:
            async with program.client() as client:
                urls = [(await client.post("/api/v1/requests", json=question())).headers["location"] for _ in range(4)]
            await country.served.get()
            assert await program.terminate() == 0
            await program.start()
            async with program.client() as client:
                for url in urls:
                    async with asyncio.timeout(9):
                        while (answer := await client.get(url, headers={"Prefer": "wait=5"})).json()["queryMore"]:
                            pass
                    assert answer.json()["complete"]
            # What was called was finished before the end, so nothing was called twice.
            assert set(country.calls.values()) == {1}
            assert not [line for line in lines(program.log()) if "Traceback" in str(line)]
        finally:
            await program.kill()
