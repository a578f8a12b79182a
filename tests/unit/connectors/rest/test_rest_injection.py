"""Whatever a citizen writes, one well-formed request of the intended shape arrives, or none."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, unquote_to_bytes

from hypothesis import given, settings

from esclusa.connectors.assembly import make_backend
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import hostile
from unit.connectors.injection import TEXT, asked, collects


async def requests(subject: str, text: str) -> list[bytes]:
    """What arrives at the back end, all of it, request by request."""
    arrived: list[bytes] = []
    async with hostile(collects(arrived)) as back:
        clock = Clock()
        said = RestSettings(
            url=f"{back.url}/people/{{subject}}/end",
            query={"q": "{params.text}"},
            headers={"X-Text": "{params.text}"},
        )
        backend = make_backend("dgt", said, None, Workshop(clock, Ids(clock), 1000, Contexts()))
        await asked(backend, subject, text)
        await backend.close()
    return arrived


@given(TEXT, TEXT)
@settings(max_examples=60, deadline=None)
def test_at_most_one_request_arrives_and_it_has_the_intended_shape(subject: str, text: str) -> None:
    arrived = asyncio.run(requests(subject, text))
    assert len(arrived) <= 1
    for request in arrived:
        line, *fields = request.removesuffix(b"\r\n\r\n").split(b"\r\n")
        method, target, version = line.split(b" ")
        path, _, query = target.partition(b"?")
        assert (method, version) == (b"GET", b"HTTP/1.1")
        assert path.split(b"/")[1:] == [b"people", path.split(b"/")[2], b"end"]
        assert unquote_to_bytes(path.split(b"/")[2]) == subject.encode()
        assert parse_qs(query.decode(), keep_blank_values=True) in ({"q": [text]}, {})
        names = [field.partition(b":")[0].lower() for field in fields]
        assert len(set(names)) == len(names)
        assert set(names) <= {b"host", b"accept", b"accept-encoding", b"user-agent", b"x-text", b"x-request-id", b"traceparent"}


async def test_what_looks_like_a_url_arrives_as_one_segment_and_one_value() -> None:
    [request] = await requests("a/../b?c#d%2f", "1&q=2#3")
    assert request.startswith(b"GET /people/a%2F..%2Fb%3Fc%23d%252f/end?q=1%26q%3D2%233 HTTP/1.1\r\n")
