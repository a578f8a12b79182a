"""What holds of every answer of the API, whatever is asked: errors, traces, security, limits (P3)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from esclusa.edges.http.problems import PROBLEMS
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.duration import Duration
from support.api import KEY, QUESTION, READER_KEY, faked

URL = "/api/v1/requests"
ID = "01a3185c-50c3-73d0-b29a-252bd5b8870e"
JSON = {"content-type": "application/json"}


def assert_problem(answer: httpx.Response, status: int, name: str) -> Any:
    """RFC 9457: the media type, the type, the title, the status, the trace."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == (f"/problems/{name}", status)
    assert body["title"] == PROBLEMS[name].title
    assert body["traceId"] == answer.headers["traceresponse"].split("-")[1]
    return body


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("nothing there", {"method": "GET", "url": "/nowhere"}, 404, "not-found"),
    ("another method", {"method": "PATCH", "url": URL}, 405, "method-not-allowed"),
    ("no key", {"method": "GET", "url": f"{URL}/{ID}", "headers": {"authorization": ""}}, 401, "unauthorized"),
    ("wrong key", {"method": "GET", "url": f"{URL}/{ID}", "headers": {"authorization": "Bearer no"}}, 401, "unauthorized"),
    (
        "no permission",
        {"method": "POST", "url": URL, "json": QUESTION, "headers": {"authorization": f"Bearer {READER_KEY}"}},
        403,
        "forbidden",
    ),
    ("no such request", {"method": "GET", "url": f"{URL}/{ID}"}, 404, "not-found"),
    ("no id", {"method": "DELETE", "url": f"{URL}/1"}, 404, "not-found"),
    ("not JSON", {"method": "POST", "url": URL, "content": b"{", "headers": JSON}, 400, "malformed"),
    ("empty", {"method": "POST", "url": URL, "content": b"", "headers": JSON}, 400, "malformed"),
    ("unknown field", {"method": "POST", "url": URL, "json": QUESTION | {"nif": "x"}}, 400, "malformed"),
    ("wrong field", {"method": "POST", "url": URL, "json": QUESTION | {"params": 1}}, 400, "malformed"),
    ("wrong parameter", {"method": "GET", "url": f"{URL}/{ID}?data=1"}, 400, "malformed"),
    ("unknown parameter", {"method": "GET", "url": f"{URL}/{ID}?wait=5"}, 400, "malformed"),
    (
        "wrong idempotency key",
        {"method": "POST", "url": URL, "json": QUESTION, "headers": {"idempotency-key": ""}},
        400,
        "malformed",
    ),
    (
        "wrong type",
        {"method": "POST", "url": URL, "content": b"x", "headers": {"content-type": "text/plain"}},
        415,
        "unsupported-type",
    ),
    ("too large", {"method": "POST", "url": URL, "json": QUESTION | {"params": {"a": "x" * 65_536}}}, 413, "too-large"),
    ("unknown query", {"method": "POST", "url": URL, "json": QUESTION | {"query": "nothing"}}, 422, "unknown-query"),
]


@pytest.mark.parametrize(("request_", "status", "name"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
async def test_every_error_is_a_problem(request_: dict[str, Any], status: int, name: str) -> None:
    """P3: one type an error, described at its own address."""
    async with faked() as (_, edge):
        answer = await edge.client.request(**request_)
        body = assert_problem(answer, status, name)
        described = await edge.client.get(body["type"])
        assert described.json()["type"] == body["type"]


async def test_what_is_wrong_in_a_body_is_pointed_at() -> None:
    """P3: a JSON pointer and a message."""
    async with faked() as (_, edge):
        answer = await edge.client.post(URL, json={"query": "q", "subject": "s", "connectors": ["a", None]})
        (error,) = assert_problem(answer, 400, "malformed")["errors"]
        assert error["pointer"] == "/connectors/1"
        assert error["message"]


async def test_a_body_of_64_kib_is_taken_and_not_a_byte_more() -> None:
    """The contract's limit of a submission."""
    async with faked() as (hub, edge):
        head, tail = b'{"query": "expedientes", "subject": "12345678Z", "params": {"a": "', b'"}}'
        body = head + b"x" * (65_536 - len(head) - len(tail)) + tail
        assert (await edge.client.post(URL, content=body, headers=JSON)).status_code == 202
        assert_problem(await edge.client.post(URL, content=body + b" ", headers=JSON), 413, "too-large")

        async def pieces() -> Any:
            for _ in range(20):
                yield b" " * 4096

        assert_problem(await edge.client.post(URL, content=pieces(), headers=JSON), 413, "too-large")
        assert len(hub.submitted) == 1


async def test_a_body_comes_in_time_or_not_at_all() -> None:
    """Limits: `bodyTimeout`, and the connection is closed."""
    async with faked(ServerSettings(body_timeout=Duration(0.1))) as (_, edge):
        head = f"POST {URL} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n"
        said = await edge.said(head.encode() + b"content-length: 10\r\n\r\n{")
        assert said.startswith(b"HTTP/1.1 408")
        assert b"/problems/too-slow" in said


async def test_what_readers_do_not_take_is_bounded() -> None:
    """Limits: `maxUnsent`. Results are refused for a while; whoever asks for little, and the probes, are answered."""
    size = 16_000_000  # more than the buffer of a sending socket grows to
    async with faked(ServerSettings(max_unsent=size + 100_000)) as (hub, edge):
        id = await edge.ask()
        hub.answer(id, "dgt", b'"%b"' % (b"x" * size))
        async with edge.connected() as (reader, writer):
            transport: Any = writer.transport
            transport.pause_reading()
            writer.write(f"GET {URL}/{id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n".encode())
            answer = await edge.client.get(f"{URL}/{id}")
            while answer.status_code == 200:  # until the one who doesn't read has been served
                answer = await edge.client.get(f"{URL}/{id}")
            assert_problem(answer, 503, "unavailable")
            assert answer.headers["retry-after"] == "1"
            for path in ("/health/live", "/health/ready", "/metrics", f"{URL}/{id}?data=false"):
                assert (await edge.client.get(path)).status_code == 200
            transport.resume_reading()
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
        assert (await edge.client.get(f"{URL}/{id}")).status_code == 200


async def test_headers_have_a_size_and_a_time() -> None:
    """Limits: 431 and 408, as problems too."""
    async with faked(ServerSettings(header_timeout=Duration(0.1))) as (_, edge):
        assert_problem(await edge.client.get("/docs", headers={"x": "x" * 40_000}), 431, "headers-too-large")
        said = await edge.said(b"GET /docs HTTP/1.1\r\n")
        assert said.startswith(b"HTTP/1.1 408")
        assert b"/problems/too-slow" in said


async def test_one_address_has_so_many_connections() -> None:
    """Limits: beyond, a new one is closed."""
    async with faked(ServerSettings(max_connections_per_address=1)) as (_, edge):
        await edge.client.get("/health/live")
        assert await edge.said(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n") == b""


ANSWERS = ["/health/live", "/docs", "/openapi.json", "/nowhere", f"{URL}/{ID}", "/api/v1/queries"]


@pytest.mark.parametrize("path", ANSWERS)
async def test_every_answer_bears_its_trace(path: str) -> None:
    """G4, P12: W3C Trace Context, in and out."""
    async with faked() as (_, edge):
        own = await edge.client.get(path)
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", own.headers["traceresponse"])
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        theirs = await edge.client.get(path, headers={"traceparent": parent})
        assert theirs.headers["traceresponse"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")


@pytest.mark.parametrize("path", ANSWERS)
async def test_every_answer_is_safe_to_show(path: str) -> None:
    """Nothing is stored, framed, guessed at, or told to others; the server's make is nobody's business."""
    async with faked() as (_, edge):
        headers = (await edge.client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == ("no-cache" if path == "/docs" else "no-store")
        assert "server" not in headers


async def test_what_can_be_got_can_be_looked_at_by_head() -> None:
    """RFC 9110: `HEAD` is `GET` without the body."""
    async with faked() as (_, edge):
        got = await edge.client.get("/api/v1/queries")
        head = await edge.client.head("/api/v1/queries")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]


async def test_health_needs_no_key() -> None:
    """H41: a balancer has none."""
    async with faked() as (_, edge):
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert (await edge.client.get(path, headers={"authorization": ""})).status_code == 200


async def test_who_has_no_key_learns_nothing() -> None:
    """H31: not even whether a request is there; and is told how to authenticate (RFC 9110)."""
    async with faked() as (_, edge):
        there, absent = await edge.ask(), ID
        for said in ("", "Bearer", f"Bearer {KEY[:-1]}", f"Bearer {KEY}x", f"Basic {KEY}"):
            for id in (there, absent):
                answer = await edge.client.get(f"{URL}/{id}", headers={"authorization": said})
                assert_problem(answer, 401, "unauthorized")
                assert answer.headers["www-authenticate"].startswith("Bearer")
