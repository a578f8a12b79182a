"""Answers that were tampered with, however they arrive: the parser says the same of them, in bounds, and raises nothing else."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esclusa.connectors.transport import HttpError, Limits
from esclusa.connectors.transport.parser import AnswerParser

LIMITS = Limits(max_head=400, max_fields=8, max_body=200)
GOOD = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 25\r\n\r\n" + gzip.compress(b"hello", mtime=0),
]
EDITS = [
    b"\r\n",
    b"\n",
    b"\0",
    b" ",
    b"content-length: 3\r\n",
    b"transfer-encoding: chunked\r\n",
    b"99999999999999999999",
    b"-1",
]


@st.composite
def tampered(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 4)))
        data = data[:at] + draw(st.sampled_from(EDITS) | st.binary(max_size=3)) + data[until:]
    return data


def read(pieces: list[bytes]) -> tuple[int, bytes] | str:
    """The status and body of the first answer, or the kind of error."""
    parser = AnswerParser(LIMITS)
    parser.expect(for_head=False)
    try:
        complete = any(parser.feed(piece) for piece in pieces if piece)
        if not complete and not parser.ends_here():
            return "incomplete"
        response = parser.response()
    except HttpError as error:
        return error.kind
    finally:
        parser.release()
    assert len(response.body) <= LIMITS.max_body
    return response.status, response.body


@given(tampered())
@settings(max_examples=100, deadline=None)
def test_wherever_it_is_split_it_reads_as_in_one_piece(data: bytes) -> None:
    whole = read([data])
    for at in range(1, len(data)):
        assert read([data[:at], data[at:]]) == whole, at
    assert read([data[at : at + 1] for at in range(len(data))]) == whole


@pytest.mark.parametrize("good", GOOD[:3])
def test_a_second_answer_is_never_a_part_of_the_first_and_spoils_the_connection(good: bytes) -> None:
    parser = AnswerParser(LIMITS)
    parser.expect(for_head=False)
    assert parser.feed(good + b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled")
    assert b"smuggled" not in parser.response().body
    assert not parser.reusable
