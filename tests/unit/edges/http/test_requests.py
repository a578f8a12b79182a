"""Ask, look, wait, follow, cancel, over a hub that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from esclusa.connectors.backend import Reason
from esclusa.edges.http.requests import READS
from esclusa.edges.http.server import SOCKET
from esclusa.edges.http.settings import ServerSettings
from esclusa.hub.snapshot import Snapshot
from esclusa.kernel.errors import IdempotencyMismatch, InvalidSubject, StorageUnavailable, TooManyOpen, Unavailable
from esclusa.kernel.instrument import Level
from support.api import QUESTION, READER_KEY, Served, faked
from support.fake_hub import FakeHub

URL = "/api/v1/requests"


async def test_a_question_is_handed_to_the_hub_as_it_was_put() -> None:
    async with faked() as (hub, edge):
        body = QUESTION | {"params": {"period": {"from": "2026-01-01", "to": "2026-02-01"}}, "connectors": ["dgt"]}
        answer = await edge.client.post(URL, json=body, headers={"idempotency-key": "k-1"})
        assert answer.status_code == 202
        (submission,) = hub.submitted
        assert (submission.caller, submission.query, submission.subject) == ("client:sede", "expedientes", "12345678Z")
        assert submission.params == body["params"]
        assert (submission.connectors, submission.idempotency_key) == (["dgt"], "k-1")


async def test_the_answer_says_where_to_look_and_when() -> None:
    async with faked() as (_, edge):
        answer = await edge.client.post(URL, json=QUESTION)
        body = answer.json()
        assert set(body) == {"id", "query", "createdAt", "deadline", "expiresAt", "statusUrl"}
        assert answer.headers["location"] == body["statusUrl"] == f"{URL}/{body['id']}"
        assert answer.headers["retry-after"] == "2"


async def test_a_client_without_the_permission_may_not_ask() -> None:
    async with faked() as (hub, edge):
        answer = await edge.client.post(URL, json=QUESTION, headers={"authorization": f"Bearer {READER_KEY}"})
        assert answer.status_code == 403
        assert not hub.submitted


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json; charset=utf-8"}, 202),
        ({"content-type": "APPLICATION/JSON"}, 202),
        ({"content-encoding": "identity"}, 202),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": ""}, 415),
        ({"content-encoding": "gzip"}, 415),
    ],
)
async def test_a_body_is_json(headers: dict[str, str], status: int) -> None:
    async with faked() as (_, edge):
        sent = {"content-type": "application/json"} | headers
        answer = await edge.client.post(URL, content=b'{"query": "expedientes", "subject": "12345678Z"}', headers=sent)
        assert answer.status_code == status


async def test_half_a_question_is_not_asked() -> None:
    async with faked() as (hub, edge):
        head = f"POST {URL} HTTP/1.1\r\nhost: x\r\nauthorization: {edge.client.headers['authorization']}\r\n"
        async with edge.connected() as (_, writer):
            writer.write(f"{head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{{".encode())
            await writer.drain()
            await edge.client.get("/health/live")
        await edge.server.drain()
        assert not hub.submitted
        assert not [line for line in edge.logged if line[0] >= Level.ERROR]


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (InvalidSubject(), 422, None),
        (IdempotencyMismatch(), 422, None),
        (TooManyOpen(retry_after=2), 429, "2"),
        (Unavailable(retry_after=0.2), 503, "1"),
        (StorageUnavailable("secrets"), 503, "1"),
        (ZeroDivisionError("secrets"), 500, None),
    ],
)
async def test_what_the_hub_refuses_is_a_problem(error: Exception, status: int, retry_after: str | None) -> None:
    async with faked() as (hub, edge):
        hub.raises = error
        answer = await edge.client.post(URL, json=QUESTION)
        assert answer.status_code == answer.json()["status"] == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers.get("retry-after") == retry_after
        assert "secrets" not in answer.text


async def test_a_look_shows_what_is_known() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        hub.answer(id, "aeat", b'{"due": 1}')
        hub.answer(id, "dgt", reason=Reason.BACKEND_ERROR)
        answer = await edge.client.get(f"{URL}/{id}")
        body = answer.json()
        assert answer.status_code == 200
        assert [(each["connector"], each["state"]) for each in body["answers"]] == [("dgt", "ko"), ("aeat", "ok")]
        assert body["answers"][1]["data"] == {"due": 1}
        assert body["pending"] == ["sepe"]
        assert (body["queryMore"], body["complete"]) == (True, False)


async def test_heads_only() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        hub.answer(id, "aeat", b'{"due": 1}')
        (answer,) = (await edge.client.get(f"{URL}/{id}?data=false")).json()["answers"]
        assert "data" not in answer
        assert (await edge.client.get(f"{URL}/{id}?data=perhaps")).status_code == 400


@pytest.mark.parametrize("name", ["nothing", "01a3185c50c373d0b29a252bd5b8870e", "{01a3185c-50c3-73d0-b29a-252bd5b8870e}"])
async def test_what_is_no_id_is_nobodys_request(name: str) -> None:
    async with faked() as (_, edge):
        for method in ("GET", "DELETE"):
            assert (await edge.client.request(method, f"{URL}/{name}")).status_code == 404
        assert (await edge.client.get(f"{URL}/{name}/events")).status_code == 404


async def test_an_id_is_one_in_capitals_too() -> None:
    async with faked() as (_, edge):
        id = await edge.ask()
        assert (await edge.client.get(f"{URL}/{str(id).upper()}")).status_code == 200


async def test_the_tag_says_whether_anything_has_changed() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        first = await edge.client.get(f"{URL}/{id}")
        tag = first.headers["etag"]
        for has in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            same = await edge.client.get(f"{URL}/{id}", headers={"if-none-match": has})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        hub.answer(id, "dgt")
        other = await edge.client.get(f"{URL}/{id}", headers={"if-none-match": tag})
        assert (other.status_code, other.json()["answers"][0]["data"]) == (200, {})
        assert other.headers["etag"] != tag


@asynccontextmanager
async def held(hub: FakeHub, edge: Served, id: UUID, **headers: str) -> AsyncIterator[asyncio.Future[httpx.Response]]:
    """A look that the hub has begun to hold."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    polling = asyncio.ensure_future(edge.client.get(f"{URL}/{id}", headers={"prefer": "wait=20"} | sent))
    await hub.waiting.wait()
    try:
        yield polling
    finally:
        polling.cancel()


async def test_a_look_that_waits_is_answered_at_the_next_answer() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        async with held(hub, edge, id) as polling:
            hub.answer(id, "dgt")
            answer = await polling
            assert [each["connector"] for each in answer.json()["answers"]] == ["dgt"]
            assert answer.headers["preference-applied"] == "wait=20"


async def test_a_look_that_waits_with_a_tag_is_answered_when_it_is_another() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        tag = (await edge.client.get(f"{URL}/{id}")).headers["etag"]
        async with held(hub, edge, id, if_none_match=f'"old", {tag}') as polling:
            hub.answer(id, "dgt")
            assert (await polling).status_code == 200
        late = await edge.client.get(f"{URL}/{id}", headers={"if-none-match": tag, "prefer": "wait=20"})
        assert late.status_code == 200


async def test_a_wait_that_is_over_is_answered_with_what_there_is() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        tag = (await edge.client.get(f"{URL}/{id}")).headers["etag"]
        hub.drain()
        wait = {"prefer": "wait=20"}
        same = await edge.client.get(f"{URL}/{id}", headers=wait | {"if-none-match": tag})
        assert (same.status_code, same.headers["preference-applied"]) == (304, "wait=20")
        assert (await edge.client.get(f"{URL}/{id}", headers=wait)).json()["queryMore"] is True


async def test_a_final_result_is_answered_at_once() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        for name in ("dgt", "aeat", "sepe"):
            hub.answer(id, name)
        first = await edge.client.get(f"{URL}/{id}", headers={"prefer": "wait=20"})
        assert (first.json()["complete"], first.json()["retryAfterMs"]) == (True, 0)
        again = {"prefer": "wait=20", "if-none-match": first.headers["etag"]}
        assert (await edge.client.get(f"{URL}/{id}", headers=again)).status_code == 304


async def test_results_that_would_be_too_much_to_send_are_refused() -> None:
    async with faked(ServerSettings(max_unsent=100_000)) as (hub, edge):
        id = await edge.ask()
        hub.answer(id, "dgt", b'"%b"' % (b"x" * 100_000))
        refused = await edge.client.get(f"{URL}/{id}")
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
        assert refused.headers["retry-after"] == "1"
        assert (await edge.client.get(f"{URL}/{id}?data=false")).status_code == 200


async def test_a_stream_ends_before_an_event_that_would_be_too_much_to_send() -> None:
    """Its reader comes back for it."""
    async with faked(ServerSettings(max_unsent=100_000)) as (hub, edge):
        id = await edge.ask()
        hub.answer(id, "dgt")
        hub.answer(id, "aeat", b'"%b"' % (b"x" * 100_000))
        assert len(events((await edge.client.get(f"{URL}/{id}/events")).text)) == 1


class Gate:
    """Lets nobody read results with their data before the test says so."""

    def __init__(self, hub: FakeHub) -> None:
        self.open = asyncio.Event()
        self.reached = asyncio.Event()
        self.inside = self.most = 0
        self._read = hub.results
        hub.results = self.results

    async def results(self, id: UUID, caller: str, *, data: bool = True) -> Snapshot:
        if data:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.reached.set()
            await self.open.wait()
            self.inside -= 1
        return await self._read(id, caller, data=data)


async def test_of_many_who_are_woken_together_a_few_at_a_time_read_the_data() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        gate = Gate(hub)
        async with AsyncExitStack() as stack:
            polls = []
            for _ in range(3 * READS):
                hub.waiting.clear()
                polls.append(await stack.enter_async_context(held(hub, edge, id)))
            hub.answer(id, "dgt")
            await gate.reached.wait()
            gate.open.set()
            assert [answer.status_code for answer in await asyncio.gather(*polls)] == [200] * len(polls)
        assert gate.most == READS


async def test_whose_turn_does_not_come_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esclusa.edges.http.requests.LINE", 0.05)
    async with faked() as (hub, edge):
        id = await edge.ask()
        gate = Gate(hub)
        looks = [asyncio.ensure_future(edge.client.get(f"{URL}/{id}")) for _ in range(READS + 1)]
        done, _ = await asyncio.wait(looks, return_when=asyncio.FIRST_COMPLETED)
        assert [(look.result().status_code, look.result().headers["retry-after"]) for look in done] == [(503, "1")]
        assert (await edge.client.get(f"{URL}/{id}?data=false")).status_code == 200
        gate.open.set()
        assert sorted(answer.status_code for answer in await asyncio.gather(*looks)) == [200] * READS + [503]
        assert (await edge.client.get(f"{URL}/{id}")).status_code == 200


async def test_nobody_waits_for_a_reader_who_has_gone() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        async with edge.connected() as (_, writer):
            authorization = edge.client.headers["authorization"]
            writer.write(
                f"GET {URL}/{id} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\nprefer: wait=30\r\n\r\n".encode()
            )
            await hub.waiting.wait()
        await hub.left.wait()


def events(text: str) -> list[dict[str, str]]:
    """Server-sent events, less the first, which says when to come back."""
    blocks = [block for block in text.split("\n\n") if block]
    assert blocks[0] == "retry: 2000"
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks[1:] if block != ":"]


async def test_answers_are_pushed_and_then_the_end() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        streaming = asyncio.ensure_future(edge.client.get(f"{URL}/{id}/events"))
        for name in ("aeat", "dgt", "sepe"):
            await hub.waiting.wait()
            hub.waiting.clear()
            hub.answer(id, name, b'{"pretty":\n  true}')
        answer = await streaming
        assert answer.headers["content-type"] == "text/event-stream"
        got = events(answer.text)
        assert [each["event"] for each in got] == ["answer", "answer", "answer", "done"]
        assert '"connector":"aeat"' in got[0]["data"]
        assert '"data":{"pretty":   true}' in got[0]["data"]
        assert '"queryMore":false' in got[3]["data"]
        assert '"data"' not in got[3]["data"]


async def test_a_reader_goes_on_from_where_it_was_cut_off() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        for name in ("dgt", "aeat", "sepe"):
            hub.answer(id, name)
        first, second, _, last = events((await edge.client.get(f"{URL}/{id}/events")).text)
        rest = events((await edge.client.get(f"{URL}/{id}/events", headers={"last-event-id": second["id"]})).text)
        assert [each["event"] for each in rest] == ["answer", "done"]
        over = await edge.client.get(f"{URL}/{id}/events", headers={"last-event-id": last["id"]})
        assert (over.status_code, over.content) == (204, b"")
        unknown = await edge.client.get(f"{URL}/{id}/events", headers={"last-event-id": "nonsense-f"})
        assert len(events(unknown.text)) == 4
        assert first["id"] != second["id"]


async def test_a_stream_ends_when_the_process_drains() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        streaming = asyncio.ensure_future(edge.client.get(f"{URL}/{id}/events"))
        await hub.waiting.wait()
        hub.drain()
        assert events((await streaming).text) == []


async def test_a_stream_ends_when_its_request_is_cancelled() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        streaming = asyncio.ensure_future(edge.client.get(f"{URL}/{id}/events"))
        await hub.waiting.wait()
        assert (await edge.client.delete(f"{URL}/{id}")).status_code == 204
        assert (await streaming).status_code == 200
        assert (await edge.client.get(f"{URL}/{id}/events")).status_code == 404


async def test_what_is_cancelled_is_gone() -> None:
    async with faked() as (_, edge):
        id = await edge.ask()
        answer = await edge.client.delete(f"{URL}/{id}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await edge.client.get(f"{URL}/{id}")).status_code == 404
        assert (await edge.client.delete(f"{URL}/{id}")).status_code == 404


async def test_nobody_reads_anothers_request() -> None:
    async with faked() as (_, edge):
        id = await edge.ask()
        other = {"authorization": f"Bearer {READER_KEY}"}
        unknown = "01a3185c-50c3-73d0-b29a-252bd5b8870e"
        for method, path in (("GET", ""), ("GET", "/events"), ("DELETE", "")):
            theirs = await edge.client.request(method, f"{URL}/{id}{path}", headers=other)
            nobodys = await edge.client.request(method, f"{URL}/{unknown}{path}", headers=other)
            assert theirs.status_code == nobodys.status_code == 404
            assert less_trace(theirs) == less_trace(nobodys)
        assert (await edge.client.get(f"{URL}/{id}")).status_code == 200


def less_trace(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "traceId"}


async def test_the_operator_asks_by_the_socket_without_a_key() -> None:
    async with faked() as (hub, edge):
        transport = httpx.AsyncHTTPTransport(uds=str(edge.server.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as operator:
            answer = await operator.post(URL, json=QUESTION)
            assert answer.status_code == 202
            assert hub.submitted[0].caller == "client:local"
            assert (await operator.get(answer.headers["location"])).status_code == 200
        assert edge.server.socket.name == SOCKET
        assert (await edge.client.get(answer.headers["location"])).status_code == 404
