"""The TCP connector on hosts that we did not write: memcached and Redis, spoken as text (H10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from esclusa import Reason, Snapshot, Submission, open_hub
from support.poll import until
from support.program import free_port

pytestmark = pytest.mark.real

CONFIGURATION = """
[esclusa]
engine = "memory"

[connectors.memcached]
protocol = "tcp"
host = "localhost"
port = {memcached}
request = "get {{subject}}\\r\\n"
reserved = " "
frame = {{ by = "delimiter", delimiter = "END\\r\\n" }}
answer = "VALUE {{key}} {{flags}} {{size}}\\r\\n{{name}}\\r\\n"
empty = [""]
transform = "name"
idempotent = true

[connectors.redis]
protocol = "tcp"
host = "127.0.0.1"
port = {redis}
request = "GET {{subject}}\\r\\n"
reserved = " \\"'"
frame = {{ by = "function", function = "redis_frames:bulk" }}
answer = "$${{size}}\\r\\n{{name}}\\r\\n"
empty = ["$$-1\\r\\n"]
transform = "name"
idempotent = true

[connectors.refusing]
protocol = "tcp"
host = "127.0.0.1"
port = {redis}
request = "NOSUCHCOMMAND {{subject}}\\r\\n"
frame = {{ delimiter = "\\r\\n", by = "delimiter" }}
answer = "+{{said}}"

[queries.people]
subject = "text"
ttl = "10s"
connectors = ["*"]
"""
FRAMES = '''
def bulk(received):
    """How long the first answer is: `$5`, a line end, five bytes, a line end; `$-1` for nothing."""
    head, line, _ = received.partition(b"\\r\\n")
    if not line:
        return None
    size = int(head[1:])
    end = len(head) + 2 + (size + 2 if size >= 0 else 0)
    return end if len(received) >= end else None
'''


@asynccontextmanager
async def serving(port: int, *command: str) -> AsyncIterator[None]:
    """A server that listens on `port`, until the context ends."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until(lambda: said(port, b""))
        yield
    finally:
        process.kill()
        await process.wait()


async def said(port: int, what: bytes) -> bytes | None:
    """What the server at `port` answers first; None: nobody is there."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return None
    try:
        writer.write(what)
        return await asyncio.wait_for(reader.readline(), 5) if what else b"there"
    finally:
        writer.close()


async def asked(folder: Path, *subjects: str) -> list[Snapshot]:
    async with open_hub(folder / "esclusa.toml") as hub:
        final = []
        for subject in subjects:
            receipt = await hub.submit(Submission(caller="test", query="people", subject=subject))
            last = await hub.wait(receipt.id, "test", seconds=20)
            while last.query_more:
                last = await hub.wait(receipt.id, "test", seconds=20, tag=last.tag)
            final.append(last)
        return final


async def test_what_they_know_is_data_what_they_do_not_is_empty_and_a_refusal_is_a_ko(tmp_path: Path) -> None:
    memcached, redis = free_port(), free_port()
    (tmp_path / "esclusa.toml").write_text(CONFIGURATION.format(memcached=memcached, redis=redis))
    (tmp_path / "redis_frames.py").write_text(FRAMES)
    async with (
        serving(memcached, "memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(memcached), "-U", "0"),
        serving(redis, "redis-server", "--bind", "127.0.0.1", "--port", str(redis), "--save", "", "--dir", str(tmp_path)),
    ):
        assert await said(memcached, "set ana 0 0 11\r\nAna García\r\n".encode()) == b"STORED\r\n"
        assert await said(redis, "*3\r\n$3\r\nSET\r\n$3\r\nana\r\n$11\r\nAna García\r\n".encode()) == b"+OK\r\n"
        ana, nobody, spaced = await asked(tmp_path, "ana", "nobody", "ana pedro")
    for snapshot in (ana, nobody):
        answers = {answer.connector: answer for answer in snapshot.answers}
        assert (answers["refusing"].reason, answers["refusing"].detail) == (
            Reason.BACKEND_ERROR, "What it answered has another form",
        )  # fmt: skip
        assert answers["memcached"].reason is answers["redis"].reason is None
        expected = '"Ana García"'.encode() if snapshot is ana else None
        assert answers["memcached"].data == answers["redis"].data == expected
    assert {answer.reason for answer in spaced.answers} == {Reason.BACKEND_ERROR}
