"""Compressed bodies are undone within a bound."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.transport import HttpError
from esclusa.connectors.transport.decoding import decoded


def raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


@given(st.binary(max_size=2000))
def test_what_was_compressed_comes_back(body: bytes) -> None:
    for coding, packed in (
        (b"gzip", gzip.compress(body)),
        (b"X-GZip", gzip.compress(body)),
        (b"deflate", zlib.compress(body)),
        (b" Deflate ", raw_deflate(body)),
        (b"identity", body),
    ):
        assert decoded(coding, packed, 2000) == body


def test_a_body_may_have_a_few_gzip_members_and_padding() -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two")
    assert decoded(b"gzip", packed, 100) == b"one two"
    assert decoded(b"gzip", packed + b"\0\0\0", 100) == b"one two"


def test_many_gzip_members_are_refused() -> None:
    with pytest.raises(HttpError) as refusal:
        decoded(b"gzip", gzip.compress(b"") * 10_000, 262_144)
    assert refusal.value.kind == "protocol"


def test_nothing_is_nothing_in_any_coding() -> None:
    assert decoded(b"gzip", b"", 10) == b""
    assert decoded(b"br", b"", 10) == b""


@pytest.mark.parametrize("limit", [0, 1, 9])
def test_one_byte_too_many_is_too_large(limit: int) -> None:
    for coding, packed in ((b"gzip", gzip.compress(b"x" * (limit + 1))), (b"deflate", zlib.compress(b"x" * (limit + 1)))):
        with pytest.raises(HttpError) as refusal:
            decoded(coding, packed, limit)
        assert refusal.value.kind == "too_large"
    assert decoded(b"gzip", gzip.compress(b"x" * limit), limit) == b"x" * limit


def test_members_share_the_bound() -> None:
    with pytest.raises(HttpError) as refusal:
        decoded(b"gzip", gzip.compress(b"x" * 8) * 2, 15)
    assert refusal.value.kind == "too_large"


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
def test_a_bomb_is_cut_while_it_grows(coding: bytes) -> None:
    bomb = zlib.compressobj(9, wbits=31 if coding == b"gzip" else 15)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(200)) + bomb.flush()
    assert len(packed) < 262_144
    tracemalloc.start()
    try:
        with pytest.raises(HttpError) as refusal:
            decoded(coding, packed, 262_144)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert refusal.value.kind == "too_large"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", b"not gzip at all"),
        (b"gzip", gzip.compress(b"hello" * 100)[:-9]),
        (b"gzip", gzip.compress(b"hello")[:-1] + b"\xff"),
        (b"gzip", gzip.compress(b"hello") + b"junk"),
        (b"deflate", b"\xff\xff\xff"),
        (b"deflate", zlib.compress(b"hello" * 100)[:-3]),
        (b"br", b"x"),
        (b"gzip,gzip", gzip.compress(gzip.compress(b"x"))),
    ],
)
def test_what_can_not_be_undone_is_an_error(coding: bytes, body: bytes) -> None:
    with pytest.raises(HttpError) as refusal:
        decoded(coding, body, 10_000)
    assert refusal.value.kind == "protocol"


@given(st.sampled_from([b"gzip", b"deflate"]), st.binary(max_size=300))
def test_garbage_never_raises_anything_else(coding: bytes, body: bytes) -> None:
    with contextlib.suppress(HttpError):
        assert len(decoded(coding, body, 1000)) <= 1000
