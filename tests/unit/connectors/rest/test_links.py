from __future__ import annotations

import pytest

from esclusa.connectors.rest.links import next_link
from esclusa.connectors.transport import Response


def found(*links: bytes) -> str | None:
    return next_link(Response(200, [(b"link", link) for link in links], b""))


@pytest.mark.parametrize(
    "link",
    [
        b"</p?n=2>; rel=next",
        b'</p?n=2>; rel="next"',
        b'</p?n=2> ; title="a, <b>; rel=prev" ; REL="last NEXT"',
        b'</p?n=0>; rel="prev", </p?n=2>; rel="next"; type=x, </p?n=9>; rel="last"',
        b"</p?n=2>;rel=next;rel=prev",
    ],
)
def test_the_link_to_the_next_page_is_found_among_others(link: bytes) -> None:
    assert found(link) == "/p?n=2"
    assert found(b"</p?n=0>; rel=first", link) == "/p?n=2"


@pytest.mark.parametrize(
    "link",
    [b"", b"</p>", b"</p>; rel", b"</p>; rel=prev", b'</p>; title="rel=next"', b"/p; rel=next", b"</p; rel=next", b"\xff"],
)
def test_what_is_no_link_to_a_next_page_is_none(link: bytes) -> None:
    assert found(link) is None
    assert next_link(Response(200, [], b"")) is None


@pytest.mark.parametrize("piece", [b"<", b"<>", b"<>;", b'<>;a="', b"<>;a=\\", b" ", b"<>; a ", b'"'])
def test_a_long_one_takes_no_long_time(piece: bytes) -> None:
    assert found(b"<>;" + piece * 20_000) is None
