"""Where a back end is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.transport import Origin


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("http://dgt.example", Origin("http", "dgt.example", 80), "dgt.example"),
        ("https://DGT.example/x?y", Origin("https", "dgt.example", 443), "dgt.example"),
        ("https://dgt.example:8443/", Origin("https", "dgt.example", 8443), "dgt.example:8443"),
        ("http://dgt.example:443/", Origin("http", "dgt.example", 443), "dgt.example:443"),
        ("http://10.0.0.1:80", Origin("http", "10.0.0.1", 80), "10.0.0.1"),
        ("http://[::1]:8080/", Origin("http", "::1", 8080), "[::1]:8080"),
        ("https://españa.example/", Origin("https", "xn--espaa-rta.example", 443), "xn--espaa-rta.example"),
        ("http://mock_body/", Origin("http", "mock_body", 80), "mock_body"),
    ],
)
def test_a_url_has_an_origin(url: str, origin: Origin, authority: str) -> None:
    assert Origin.of(url) == origin
    assert origin.authority == authority
    assert str(origin) == f"{origin.scheme}://{authority}"


@pytest.mark.parametrize(
    "url",
    [
        "dgt.example",
        "/x",
        "ftp://dgt.example/",
        "http://",
        "http://me:secret@dgt.example/",
        "http://dgt.example:99999/",
        "http://dgt.example:0/",
        "http://dgt.example:x/",
        "http://a b/",
        "http://a%0d%0ab/",
        "http://-a/",
        "http://[::1",
        "http://[zz]/",
        "http://ñ" + "a" * 70 + ".example/",
        "http://" + "a" * 254 + "/",
    ],
)
def test_anything_else_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        Origin.of(url)


def test_the_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="credentials") as refusal:
        Origin.of("http://me:secret@dgt.example/")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "parts", [("gopher", "h", 80), ("http", "h", 0), ("http", "h\r\nx: y", 80), ("http", "::zz", 80), ("http", "", 80)]
)
def test_the_parts_are_checked_too(parts: tuple[str, str, int]) -> None:
    with pytest.raises(ValueError, match="is not"):
        Origin(*parts)  # type: ignore[arg-type]  # that is the test


@given(st.text(max_size=20))
def test_no_host_can_end_a_line(host: str) -> None:
    try:
        origin = Origin("http", host, 8080)
    except ValueError:
        return
    assert origin.authority.isascii()
    assert not set(origin.authority) & set(" \t\r\n\0/@#?")
