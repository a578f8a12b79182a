"""Answers out of bytes: complete ones and nothing else, however the bytes come."""

from __future__ import annotations

import gzip
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esclusa.connectors.transport import HttpError, Limits, Response
from esclusa.connectors.transport.parser import AnswerParser

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


class Reading(NamedTuple):
    """What became of some bytes."""

    response: Response | None
    kind: str
    reusable: bool
    left: bool
    """The end came in a piece before the last."""


def read(*pieces: bytes, for_head: bool = False, limits: Limits | None = None, end: bool = True) -> Reading:
    parser = AnswerParser(limits or Limits())
    parser.expect(for_head=for_head)
    try:
        for number, piece in enumerate(pieces, 1):
            if parser.feed(piece):
                return Reading(parser.response(), "", parser.reusable, number < len(pieces))
        if end and parser.ends_here():
            return Reading(parser.response(), "", parser.reusable, left=False)
    except HttpError as error:
        return Reading(None, error.kind, reusable=False, left=False)
    return Reading(None, "cut", reusable=False, left=False)


def body_of(*pieces: bytes, for_head: bool = False) -> bytes:
    response = read(*pieces, for_head=for_head).response
    assert response is not None
    return response.body


def test_status_headers_and_body() -> None:
    reading = read(OK + b"Content-Type: text/plain\r\nX-A: 1 \r\nx-a: 2\r\nContent-Length: 5\r\n\r\nhello")
    assert reading.response is not None
    assert reading.response.status == 200
    assert reading.response.body == b"hello"
    assert [name for name, _ in reading.response.headers] == [b"content-type", b"x-a", b"x-a", b"content-length"]
    assert reading.reusable


@pytest.mark.parametrize(
    "data",
    [
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"2;a=b\r\nhe\r\n3\r\nllo\r\n00\r\ntrailer: x\r\n\r\n",
        OK + b"Transfer-Encoding: Chunked \r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK + b"content-length: 5\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\ncontent-length: 7\r\n\r\n" + OK + b"content-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello",
        OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(gzip.compress(b"hello")) + gzip.compress(b"hello"),
    ],
)
def test_the_forms_of_an_answer(data: bytes) -> None:
    reading = read(data)
    assert reading.response is not None
    assert reading.response.status == 200
    assert reading.response.body == b"hello"
    assert reading.reusable
    assert b"trailer" not in dict(reading.response.headers)
    assert b"link" not in dict(reading.response.headers)


@pytest.mark.parametrize(
    "data",
    [
        OK + b"\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ],
)
def test_answers_that_end_a_connection(data: bytes) -> None:
    reading = read(data)
    assert reading.response is not None
    assert reading.response.body == b"hello"
    assert not reading.reusable


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize("field", [b"", b"content-length: 999999\r\n", b"transfer-encoding: chunked\r\n"])
def test_answers_without_a_body(status: bytes, field: bytes) -> None:
    reading = read(b"HTTP/1.1 " + status + b"\r\n" + field + b"\r\n")
    assert reading.response is not None
    assert reading.response.body == b""
    assert reading.reusable


@pytest.mark.parametrize(
    "field", [b"", b"content-length: 999999\r\n", b"content-length: 0\r\n", b"transfer-encoding: chunked\r\n"]
)
def test_an_answer_to_head_has_no_body(field: bytes) -> None:
    data = OK + field + b"\r\n"
    for cut in range(1, len(data)):
        reading = read(data[:cut], data[cut:], for_head=True)
        assert reading.response is not None
        assert reading.response.body == b""
        assert reading.reusable is bool(field)


def test_after_an_answer_to_head_comes_the_next() -> None:
    parser = AnswerParser(Limits())
    parser.expect(for_head=True)
    assert parser.feed(OK + b"content-length: 7\r\n\r\n")
    parser.expect(for_head=False)
    assert parser.feed(OK + b"content-length: 5\r\n\r\nhello")
    assert parser.response().body == b"hello"


@pytest.mark.parametrize(
    ("data", "for_head"),
    [
        (OK + b"content-length: 2\r\n\r\nok" + OK + b"content-length: 6\r\n\r\nstolen", False),
        (OK + b"content-length: 2\r\n\r\nokH", False),
        (OK + b"content-length: 2\r\n\r\nok junk", False),
        (CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + OK, False),
        (b"HTTP/1.1 204 No Content\r\ncontent-length: 6\r\n\r\nstolen", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n" + OK, False),
        (OK + b"content-length: 6\r\n\r\nstolen", True),
        (CHUNKED + b"6\r\nstolen\r\n0\r\n\r\n", True),
        (CHUNKED + b"6", True),
        (CHUNKED + b"0\r\n\r\n", True),
        (OK + b"content-length: 6\r\n\r\n" + OK, True),
    ],
)
def test_what_follows_an_answer_is_nobodys(data: bytes, for_head: bool) -> None:
    """The answer stands; the connection is of no further use."""
    reading = read(data, for_head=for_head)
    assert reading.response is not None
    assert reading.response.body == (b"ok" if b"ok" in data else b"")
    assert not reading.reusable


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
        OK + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
        OK + b"content-length: 3, 3\r\n\r\nabc",
        OK + b"content-length: -1\r\n\r\n",
        OK + b"content-length: +1\r\n\r\nx",
        OK + b"content-length: 0x1\r\n\r\nx",
        OK + b"content-length: \r\n\r\n",
        OK + b"content-length: 99999999999999999999999\r\n\r\n",
        OK + b"transfer-encoding: gzip\r\n\r\nx",
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        OK + b"a : b\r\n\r\n",
        OK + b": b\r\n\r\n",
        OK + b"a: b\r\n c\r\n\r\n",
        OK + b"a: b\0\r\n\r\n",
        OK + b"a: b\rc\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"fffffffffffffffff\r\n",
        CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
        CHUNKED + b"3\nabc\n0\n\n",
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    assert read(data).kind == "protocol"
    assert read(*(data[at : at + 1] for at in range(len(data)))).kind == "protocol"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 O",
        OK + b"content-length: 5\r\n\r\nhell",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        CHUNKED,
        b"HTTP/1.1 100 C\r\n\r\n",
    ],
)
def test_what_is_cut_is_no_answer(data: bytes) -> None:
    assert read(data).kind == "cut"


class TestBounds:
    """What is too much is refused as soon as it is, however much is yet to come."""

    def test_head(self) -> None:
        bound = Limits(max_head=200)
        head = OK + b"content-length: 1\r\nx: %b\r\n\r\n"
        fill = 200 - len(head) + 2
        for size, kind in ((fill, ""), (fill + 1, "too_large")):
            data = head % (b"y" * size) + b"z"
            assert read(data, limits=bound).kind == kind
            assert read(*(data[at : at + 7] for at in range(0, len(data), 7)), limits=bound).kind == kind

    def test_endless_header(self) -> None:
        assert read(OK, b"x: ", *[b"y" * 1000] * 70).kind == "too_large"

    def test_endless_header_name(self) -> None:
        assert read(OK, *[b"y" * 1000] * 70).kind == "too_large"

    def test_endless_informational_answers(self) -> None:
        assert read(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 3000).kind == "too_large"

    def test_fields(self) -> None:
        assert read(OK + b"a: b\r\n" * 255 + b"content-length: 0\r\n\r\n").kind == ""
        assert read(OK + b"a: b\r\n" * 256 + b"content-length: 0\r\n\r\n").kind == "too_large"

    def test_announced_body(self) -> None:
        assert read(OK + b"content-length: 11\r\n\r\n", limits=Limits(max_body=10)).kind == "too_large"
        assert read(OK + b"content-length: 10\r\n\r\n" + b"x" * 10, limits=Limits(max_body=10)).kind == ""

    def test_endless_body(self) -> None:
        assert read(OK + b"\r\n", *[b"x" * 1000] * 300).kind == "too_large"

    def test_endless_chunks(self) -> None:
        assert read(CHUNKED, *[b"a\r\n0123456789\r\n"] * 30_000).kind == "too_large"

    def test_endless_chunk_extension(self) -> None:
        assert read(CHUNKED, b"1;", *[b"x" * 1000] * 200).kind == "too_large"

    def test_endless_trailer(self) -> None:
        assert read(CHUNKED, b"0\r\n", *[b"x: %b\r\n" % (b"y" * 1000)] * 200).kind == "too_large"

    def test_endless_trailer_value(self) -> None:
        assert read(CHUNKED, b"0\r\nx: ", *[b"y" * 1000] * 200).kind == "too_large"

    def test_many_tiny_chunks_are_fine(self) -> None:
        assert len(body_of(CHUNKED, *[b"1\r\nx\r\n"] * 60_000, b"0\r\n\r\n")) == 60_000

    def test_bomb(self) -> None:
        bomb = gzip.compress(bytes(1 << 24))
        data = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb) + bomb
        assert read(data).kind == "too_large"


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (b"timeout=5", 4.0),
        (b"timeout=5, max=100", 4.0),
        (b"max=1, Timeout = 10", 9.0),
        (b"timeout=1", 0.5),
        (b"timeout=0", 0.0),
        (b"timeout=900", 30.0),
        (b"timeout=x", 30.0),
        (b"xtimeout=5", 30.0),
        (b"timeout=99999999999999999999", 30.0),
    ],
)
def test_what_the_back_end_says_of_its_patience(field: bytes, seconds: float) -> None:
    parser = AnswerParser(Limits(idle=30))
    parser.feed(OK + b"keep-alive: " + field + b"\r\ncontent-length: 0\r\n\r\n")
    assert parser.keep == seconds


def answers() -> st.SearchStrategy[bytes]:
    """Answers of all forms, some of them followed by something, some of them spoilt."""
    bodies = st.binary(max_size=20)
    fields = st.lists(
        st.sampled_from([b"x: y\r\n", b"connection: close\r\n", b"keep-alive: timeout=5\r\n", b"a:\r\n"]), max_size=3
    )
    status = st.sampled_from([b"200 OK", b"204 No", b"304 N", b"404 Not Found", b"302 Found", b"500 Oh", b"101 S", b"099 X"])

    def chunked(body: bytes) -> bytes:
        middle = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:]) if part)
        return b"transfer-encoding: chunked\r\n\r\n" + middle + b"0\r\n\r\n"

    def packed(body: bytes) -> bytes:
        body = gzip.compress(body, mtime=0)
        return b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    rest = (
        bodies.map(lambda body: b"content-length: %d\r\n\r\n" % len(body) + body)
        | bodies.map(chunked)
        | bodies.map(lambda body: b"\r\n" + body)
        | bodies.map(packed)
    )
    whole = st.builds(
        lambda before, status, fields, rest, after: before + b"HTTP/1.1 " + status + b"\r\n" + b"".join(fields) + rest + after,
        st.sampled_from([b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n"]),
        status,
        fields,
        rest,
        st.sampled_from([b"", b"", b"", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"x"]),
    )
    spoilt = st.builds(
        lambda data, at, byte: data[: at % len(data)] + byte + data[at % len(data) + 1 :],
        whole,
        st.integers(0, 200),
        st.binary(max_size=1),
    )
    return whole | spoilt


@settings(max_examples=200)
@given(data=answers(), for_head=st.booleans())
def test_however_an_answer_is_split_it_is_the_same(data: bytes, for_head: bool) -> None:
    whole = read(data, for_head=for_head)
    for cut in range(1, len(data)):
        split = read(data[:cut], data[cut:], for_head=for_head)
        assert (split.response, split.kind) == (whole.response, whole.kind)
        assert split.reusable == whole.reusable or split.left  # what comes later meets a connection with no call
    bytewise = read(*(data[at : at + 1] for at in range(len(data))), for_head=for_head)
    assert (bytewise.response, bytewise.kind) == (whole.response, whole.kind)


@given(pieces=st.lists(st.binary(max_size=40), max_size=8), for_head=st.booleans())
def test_garbage_never_raises_anything_but_http_errors(pieces: list[bytes], for_head: bool) -> None:
    assert read(*pieces, for_head=for_head).kind in {"protocol", "cut", ""}
    read(OK, *pieces, for_head=for_head)
    read(CHUNKED, *pieces, for_head=for_head)
