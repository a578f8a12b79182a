from __future__ import annotations

import asyncio
from typing import Any

import pytest

from esclusa.demo.hosts import Host, identity, permit
from esclusa.demo.http11 import BadRequest

LINES = Host(asks="WHO ", said=str)
LONG = Host(asks="WHO ", said=str, prefix=2)


def reading(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=100)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize("host", [LINES, LONG])
async def test_what_one_writes_the_other_reads_one_text_after_the_other(host: Host) -> None:
    reader = reading(host.wire("WHO ñ") + host.wire("WHO 2"))
    assert [await host.read(reader) for _ in range(3)] == ["WHO ñ", "WHO 2", None]


@pytest.mark.parametrize(
    ("host", "data"),
    [(LINES, b"WHO"), (LINES, b"x" * 200), (LONG, b"\x00"), (LONG, b"\x00\x05WHO"), (LONG, b"\x00\x05"), (LONG, b"\x00\x02")],
)
async def test_what_is_cut_or_too_long_is_no_question(host: Host, data: bytes) -> None:
    with pytest.raises(BadRequest):
        await host.read(reading(data))


@pytest.mark.parametrize(
    ("asked", "subject"), [("WHO 12345678Z", "12345678Z"), ("12345678Z", None), ("WHO a b", None), ("WHO ", None)]
)
def test_a_question_says_whom_it_is_about(asked: str, subject: str | None) -> None:
    assert LINES.subject(asked) == subject


def test_answers_are_written_as_their_hosts_write_them() -> None:
    paper: Any = {"documento": {"tipo": "DNI", "numero": "1", "expedicion": "2020-01-01", "validez": "PERMANENTE"}}
    assert identity(paper) == "OK DNI|1|2020-01-01|PERMANENTE"
    one = {"clase": "RESIDENCIA", "nacionalidad": "Perú", "concedida": "2020-01-01", "caduca": "2025-01-01", "provincia": "28"}
    assert permit({"autorizaciones": [one]}) == "OK RESIDENCIA|Perú|2020-01-01|2025-01-01"
