"""What can be read of an answer."""

from __future__ import annotations

import pytest

from esclusa.connectors.transport import Response


def with_type(value: bytes) -> Response:
    return Response(200, [(b"content-type", value)], b"")


def test_a_header_is_found_by_its_name_in_lower_case() -> None:
    response = Response(200, [(b"etag", b'"1"'), (b"link", b"a"), (b"link", b"b")], b"")
    assert response.header(b"etag") == b'"1"'
    assert response.header(b"link") == b"a"
    assert response.header(b"date") is None


@pytest.mark.parametrize(
    ("value", "media", "charset"),
    [
        (b"application/json", "application/json", None),
        (b"Text/XML; Charset=ISO-8859-1", "text/xml", "iso-8859-1"),
        (b'text/plain; a=b; charset="UTF-8"', "text/plain", "utf-8"),
        (b"text/plain;charset=utf-8;x=y", "text/plain", "utf-8"),
        (b"text/plain; charset=", "text/plain", None),
        (b'text/plain; charset=""', "text/plain", None),
        (b"text/plain; notcharset=x", "text/plain", None),
        (b"", "", None),
        (b"\xff; charset=\xfe", "ÿ", "þ"),
    ],
)
def test_media_type_and_charset(value: bytes, media: str, charset: str | None) -> None:
    assert with_type(value).content_type == media
    assert with_type(value).charset == charset


def test_an_answer_need_not_have_a_type() -> None:
    assert Response(200, [], b"").content_type == ""
    assert Response(200, [], b"").charset is None
