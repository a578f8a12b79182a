from __future__ import annotations

import pytest

from esclusa.connectors.rest import RestSettings
from esclusa.connectors.rest.content import content_of, utf8


def test_json_passes_byte_for_byte_without_a_byte_order_mark() -> None:
    content = content_of(RestSettings(url="http://dgt.example/"))
    assert content(b'{ "a": 1.50 }', None) == b'{ "a": 1.50 }'
    assert utf8(b"\xef\xbb\xbf{}", None) == b"{}"
    assert utf8("\ufeff{}".encode("utf-16-le"), "utf-16-le") == b"{}"


def test_xml_becomes_json() -> None:
    content = content_of(RestSettings(url="http://dgt.example/", accepts="xml", lists=["f"]))
    assert content("<r><f>año</f></r>".encode(), None) == '{"r":{"f":["año"]}}'.encode()
    assert content("<r>año</r>".encode("latin-1"), "iso-8859-1") == '{"r":"año"}'.encode()


def test_a_text_becomes_a_string() -> None:
    content = content_of(RestSettings(url="http://dgt.example/", accepts="text"))
    assert content(b'OK "1"\r\n', None) == b'"OK \\"1\\"\\r\\n"'
    assert content("año".encode("latin-1"), "iso-8859-1") == '"año"'.encode()


@pytest.mark.parametrize("accepts", ["json", "xml", "text"])
@pytest.mark.parametrize(("body", "charset"), [(b"\xff", None), (b"\xff", "utf-8"), (b"x", "klingon"), (b"x", "rot13")])
def test_what_is_not_in_its_charset_or_in_one_that_is_none_is_an_error(accepts: str, body: bytes, charset: str | None) -> None:
    content = content_of(RestSettings(url="http://dgt.example/", accepts=accepts))  # type: ignore[arg-type]  # one of its literals
    with pytest.raises((ValueError, LookupError)):
        content(body, charset)
