"""A REST connector, whole, against everything that a back end can do to it."""

from __future__ import annotations

import gzip

import pytest

from esclusa.connectors.backend import Reason
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.rest import RestSettings
from esclusa.testing.hostile import MISBEHAVIOURS, Hostile, answer, cut, hostile, once
from unit.connectors.ordeal import PATIENT, ask, connector, cut_everywhere, ordeal, piles_up

GOOD = b'{"good":true}'
JSON = b"content-type: application/json"
PLAIN = answer(GOOD, b"200 OK", JSON)
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n%b\r\n8;x=y\r\n%b\r\n0\r\nx: y\r\n\r\n" % (
    GOOD[:5],
    GOOD[5:],
)
GZIP = answer(gzip.compress(GOOD, mtime=0), b"200 OK", JSON, b"content-encoding: gzip")


def settings(back: Hostile) -> RestSettings:
    return RestSettings(url=f"{back.url}/people/{{subject}}", tls=TlsSettings(ca=back.ca), **PATIENT)


@pytest.mark.parametrize("name", [name for name, one in MISBEHAVIOURS.items() if one.wire in ("http", "tls")])
async def test_a_call_ends_by_its_time_with_the_right_reason_leaks_nothing_and_the_next_call_works(name: str) -> None:
    said = await ordeal(name, settings, GOOD)
    assert (said.data is None) is (name == "body_after_204" or said.reason is not None)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("whole", [PLAIN, CHUNKED, GZIP], ids=["plain", "chunked", "gzip"])
async def test_an_answer_cut_at_any_byte_is_an_error_or_whole(whole: bytes, reset: bool) -> None:
    said = await cut_everywhere(cut(once(whole), reset=reset), len(whole) + 1, settings, GOOD)
    assert {one.reason for one in said[: len(whole)]} == {Reason.BACKEND_ERROR}
    assert reset or said[len(whole)].data == GOOD


async def test_an_answer_without_a_length_that_is_reset_is_none() -> None:
    whole = b"HTTP/1.1 200 OK\r\n\r\n" + GOOD
    said = await cut_everywhere(cut(once(whole), reset=True), len(whole) + 2, settings, GOOD)
    assert {one.reason for one in said} == {Reason.BACKEND_ERROR}


async def test_a_smuggled_answer_is_never_taken_for_another_call_s() -> None:
    async with hostile("surplus") as back:
        one = connector(settings(back))
        for _ in range(20):
            assert (await ask(one)).data == GOOD
        await one.close()


async def test_nothing_piles_up_whatever_happens_how_often() -> None:
    names = ("surplus", "truncated", "garbage", "endless_headers", "gzip_bomb", "hang_after_headers", "tls_cut")
    assert not await piles_up(names, settings)
