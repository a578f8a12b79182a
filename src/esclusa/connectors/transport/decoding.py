"""Content codings undone within a bound: a body that would grow beyond it is cut while it grows."""

from __future__ import annotations

import zlib

from esclusa.kernel.errors import HttpError

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_MEMBERS = 16
"""Gzip members of one body; each costs a copy of what follows it, so that many small ones would cost far more than they weigh."""


def decoded(coding: bytes, body: bytes, limit: int) -> bytes:
    """`body` without its content `coding` (the value of `Content-Encoding`), of at most `limit` bytes.

    gzip and deflate, with or without zlib's header. `HttpError` of kind `too_large` beyond `limit`, of kind `protocol`
    when it is another coding, or the body is damaged or cut. An empty body is empty in any coding.
    """
    coding = coding.strip().lower()
    if not body or coding in (b"", b"identity"):
        return body
    if coding in (b"gzip", b"x-gzip"):
        return _gunzip(body, limit)
    if coding == b"deflate":
        return _inflate(body, _ZLIB if _has_zlib_header(body) else _RAW, limit)[0]
    raise HttpError("protocol", "the answer has a content coding that was not asked for")


def _gunzip(body: bytes, limit: int) -> bytes:
    whole = b""
    for _ in range(_MEMBERS):
        piece, body = _inflate(body, _GZIP, limit - len(whole))
        whole += piece
        if not body.strip(b"\0"):  # some pad the end with zeros, as gzip itself allows
            return whole
    raise HttpError("protocol", "the compressed answer has too many parts")


def _inflate(body: bytes, bits: int, limit: int) -> tuple[bytes, bytes]:
    """One compressed stream, and what follows it."""
    stream = zlib.decompressobj(bits)
    try:
        whole = stream.decompress(body, limit + 1)  # 0 would mean: no limit
    except zlib.error:
        raise HttpError("protocol", "the compressed answer is damaged") from None
    if len(whole) > limit:
        raise HttpError("too_large", f"the answer is larger than {limit} bytes once it is decompressed")
    if not stream.eof:
        raise HttpError("protocol", "the compressed answer is cut")
    return whole, stream.unused_data


def _has_zlib_header(body: bytes) -> bool:
    """RFC 1950: method 8, and the first two bytes are a multiple of 31. Some servers say deflate and send it without."""
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0  # noqa: PLR2004 - as the RFC has it
