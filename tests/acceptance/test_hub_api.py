"""The hub through its API: a program asks for its users, over real HTTP, before scripted back ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from esclusa.kernel.duration import Duration
from esclusa.testing.backends import ERROR, ScriptedBackend, answers, data, waits
from support.api import READER_KEY, Served, served
from support.hub import NIF, Process, configuration, running

URL = "/api/v1/requests"
QUESTION = {"query": "q", "subject": NIF}


@asynccontextmanager
async def hub(
    *, query: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[Process, Served]]:
    """A process of the hub with bodies `a`, `b` and `c`, and its API."""
    settings = configuration(query=query, hub={"drain": Duration(0.1), **(limits or {})})
    async with running(settings, **options) as process, served(process.hub, process.runtime.clock) as edge:
        yield process, edge


async def ask(edge: Served, **headers: str) -> str:
    """The address of a new request."""
    answer = await edge.client.post(URL, json=QUESTION, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


async def looked(edge: Served, url: str, until: Callable[[Any], bool]) -> Any:
    """What is known as soon as it is `until`, by long poll."""
    answer = await edge.client.get(url)
    while answer.status_code != 200 or not until(answer.json()):
        wait = {"prefer": "wait=10", "if-none-match": answer.headers["etag"]}
        answer = await edge.client.get(url, headers=wait)
    return answer.json()


async def final(edge: Served, url: str) -> Any:
    """The final result."""
    return await looked(edge, url, lambda body: not body["queryMore"])


def states(body: Any) -> dict[str, str]:
    return {answer["connector"]: answer.get("reason", answer["state"]) for answer in body["answers"]}


async def test_a_question_goes_in_once_and_is_answered_before_any_body_is() -> None:
    """H1: the technical OK comes at once, with an id and the moments of the request's life."""
    bodies: dict[str, ScriptedBackend] = {}
    async with hub(bodies=bodies) as (process, edge):
        for body in bodies.values():
            body.step = waits
        answer = await edge.client.post(URL, json=QUESTION)
        receipt = answer.json()
        assert answer.status_code == 202
        assert receipt["id"] in answer.headers["location"]
        for body in process.backends.values():
            await body.wait_for_attempts(1)
        look = (await edge.client.get(receipt["statusUrl"])).json()
        assert (look["answers"], look["pending"], look["queryMore"]) == ([], ["a", "b", "c"], True)
        assert {name: look[name] for name in ("id", "createdAt", "deadline", "expiresAt")} == {
            name: receipt[name] for name in ("id", "createdAt", "deadline", "expiresAt")
        }


async def test_results_come_in_parts_and_what_failed_is_named() -> None:
    """H2, H11: who has answered, who has not, who failed and why; then it is final."""
    async with hub() as (process, edge):
        process.backends["a"].step = data(b'{"plate": "1234 BCD"}')
        process.backends["b"].step = answers(ERROR)
        process.backends["c"].step = waits
        url = await ask(edge)
        body = await looked(edge, url, lambda body: len(body["answers"]) == 2)
        assert states(body) == {"a": "ok", "b": "backend_error"}
        assert (body["pending"], body["queryMore"], body["complete"]) == (["c"], True, False)
        assert body["answers"][0]["data"] == {"plate": "1234 BCD"}
        assert body["answers"][1]["detail"] == "It failed"
        process.backends["c"].attempts[0].answer()
        body = await final(edge, url)
        assert states(body) == {"a": "ok", "b": "backend_error", "c": "ok"}
        assert (body["pending"], body["queryMore"], body["complete"], body["retryAfterMs"]) == ([], False, False, 0)


async def test_everybody_answering_is_complete() -> None:
    """H2: `complete` is true when every back end concerned has answered OK."""
    async with hub() as (_, edge):
        body = await final(edge, await ask(edge))
        assert body["complete"] is True
        assert [answer["connector"] for answer in body["answers"]] == ["a", "b", "c"]


async def test_at_the_deadline_who_has_not_answered_is_no_answer_for_ever() -> None:
    """H2: after the ttl a back end with no answer is reported `no_answer`, and nothing changes any more."""
    async with hub(query={"ttl": Duration(0.4)}, roles=["hub", "collector"]) as (_, edge):
        url = await ask(edge)
        body = await final(edge, url)
        assert set(states(body).values()) == {"no_answer"}
        assert body["complete"] is False
        for answer in body["answers"]:
            assert (answer["attempts"], answer["elapsedMs"], answer["receivedAt"]) == (0, None, None)
        assert (await edge.client.get(url)).json() == body


async def test_some_are_asked_again_by_name() -> None:
    """H32: `connectors` asks a subset."""
    async with hub() as (process, edge):
        answer = await edge.client.post(URL, json=QUESTION | {"connectors": ["b"]})
        body = await final(edge, answer.headers["location"])
        assert states(body) == {"b": "ok"}
        assert not process.backends["a"].attempts
        refused = await edge.client.post(URL, json=QUESTION | {"connectors": ["b", "nobody"]})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/connectors/1")


async def test_any_instance_serves_any_look() -> None:
    """H7: no instance holds state of its own."""
    async with hub() as (process, edge):
        url = await ask(edge)
        await final(edge, url)
        async with (
            running(engine=process.engine, roles=["hub"]) as other,
            served(other.hub, other.runtime.clock) as elsewhere,
        ):
            assert (await elsewhere.client.get(url)).json() == (await edge.client.get(url)).json()


async def test_the_tag_is_the_same_from_any_instance() -> None:
    """H7, H8: so a `304` is right wherever it comes from."""
    async with hub() as (process, edge):
        url = await ask(edge)
        await final(edge, url)
        tag = (await edge.client.get(url)).headers["etag"]
        async with (
            running(engine=process.engine, roles=["hub"]) as other,
            served(other.hub, other.runtime.clock) as elsewhere,
        ):
            same = await elsewhere.client.get(url, headers={"if-none-match": tag})
            assert (same.status_code, same.headers["etag"]) == (304, tag)


async def test_a_look_can_wait_for_the_next_answer() -> None:
    """H8: the long poll."""
    async with hub() as (process, edge):
        for body in process.backends.values():
            body.step = waits
        url = await ask(edge)
        first = await edge.client.get(url)
        wait = {"prefer": "wait=10", "if-none-match": first.headers["etag"]}
        waiting = asyncio.ensure_future(edge.client.get(url, headers=wait))
        await process.backends["b"].wait_for_attempts(1)
        process.backends["b"].attempts[0].answer()
        answer = await waiting
        assert answer.headers["preference-applied"] == "wait=10"
        assert states(answer.json()) == {"b": "ok"}
        assert answer.headers["etag"] != first.headers["etag"]


async def events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """Server-sent events, one by one."""
    event: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if line:
            event[name] = value
        elif "event" in event:
            yield event
            event = {}


async def test_answers_are_pushed_and_any_instance_goes_on_where_another_ended() -> None:
    """H7, H8: server-sent events with resume."""
    async with hub() as (process, edge):
        for name in "bc":
            process.backends[name].step = waits
        url = await ask(edge)
        async with edge.client.stream("GET", f"{url}/events") as stream:
            first = await anext(events(stream.aiter_lines()))
        assert (first["event"], json.loads(first["data"])["connector"]) == ("answer", "a")
        for name in "bc":
            process.backends[name].attempts[0].answer()
        async with (
            running(engine=process.engine, roles=["hub"]) as other,
            served(other.hub, other.runtime.clock) as elsewhere,
        ):
            resume = {"last-event-id": first["id"]}
            async with elsewhere.client.stream("GET", f"{url}/events", headers=resume) as stream:
                rest = [event async for event in events(stream.aiter_lines())]
        assert sorted(json.loads(event["data"])["connector"] for event in rest[:-1]) == ["b", "c"]
        assert rest[-1]["event"] == "done"
        assert json.loads(rest[-1]["data"])["complete"] is True
        over = await edge.client.get(f"{url}/events", headers={"last-event-id": rest[-1]["id"]})
        assert over.status_code == 204


async def test_a_cancelled_request_is_forgotten() -> None:
    """H8: nothing more is asked, and nothing is left to be read."""
    async with hub() as (process, edge):
        for body in process.backends.values():
            body.step = waits
        url = await ask(edge)
        for body in process.backends.values():
            await body.wait_for_attempts(1)
        assert (await edge.client.delete(url)).status_code == 204
        for method, path in (("GET", url), ("GET", f"{url}/events"), ("DELETE", url)):
            assert (await edge.client.request(method, path)).status_code == 404


async def test_a_question_sent_twice_under_one_key_is_asked_once() -> None:
    """H8: idempotent submission."""
    async with hub() as (process, edge):
        first = await ask(edge, **{"idempotency-key": "k"})
        assert await ask(edge, **{"idempotency-key": "k"}) == first
        await final(edge, first)
        assert len(process.backends["a"].attempts) == 1
        other = await edge.client.post(URL, json=QUESTION | {"connectors": ["a"]}, headers={"idempotency-key": "k"})
        assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-mismatch")
        assert await ask(edge, **{"idempotency-key": "another"}) != first


async def test_nobody_elses_request_tells_anything() -> None:
    """H31: another's, unknown, cancelled: the same answer."""
    async with hub() as (_, edge):
        theirs, cancelled = await ask(edge), await ask(edge)
        await edge.client.delete(cancelled)
        unknown = f"{URL}/01a3185c-50c3-73d0-b29a-252bd5b8870e"
        as_reader = {"authorization": f"Bearer {READER_KEY}"}
        said = [await edge.client.get(url, headers=as_reader) for url in (theirs, unknown, cancelled, f"{URL}/nonsense")]
        assert {answer.status_code for answer in said} == {404}
        assert len({tuple(sorted({**answer.json(), "traceId": ""}.items())) for answer in said}) == 1
        assert len({tuple(sorted(set(answer.headers) - {"traceresponse"})) for answer in said}) == 1


async def test_a_subject_has_so_many_open_requests() -> None:
    """H1: `429` with `Retry-After`; not for another subject."""
    async with hub(limits={"max_open_per_subject": 2}) as (process, edge):
        for body in process.backends.values():
            body.step = waits
        for _ in range(2):
            await ask(edge)
        refused = await edge.client.post(URL, json=QUESTION)
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-open")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await edge.client.post(URL, json=QUESTION | {"subject": "00000000T"})).status_code == 202


async def test_what_may_be_asked_and_of_whom_can_be_read() -> None:
    """H4, H40: inventory, health and processes."""
    async with hub() as (_, edge):
        (query,) = (await edge.client.get("/api/v1/queries")).json()["queries"]
        assert (query["name"], query["ttlMs"], query["subject"]) == ("q", 60_000, "nif")
        connectors = (await edge.client.get("/api/v1/connectors")).json()["connectors"]
        assert [(each["name"], each["breaker"], each["processes"]) for each in connectors] == [
            (name, "closed", 1) for name in "abc"
        ]
        (process,) = (await edge.client.get("/api/v1/processes")).json()["processes"]
        assert [each["name"] for each in process["connectors"]] == ["a", "b", "c"]


def noted(process: Process) -> asyncio.Event:
    """Set once somebody waits at the hub."""
    waiting, wait = asyncio.Event(), process.hub.wait

    async def noting(*question: Any, **more: Any) -> Any:
        waiting.set()
        return await wait(*question, **more)

    process.hub.wait = noting
    return waiting


async def test_a_process_that_drains_lets_its_readers_go_with_what_there_is() -> None:
    """H7, H40: a waiting look is answered, a stream ends so that its reader resumes elsewhere, and then it closes."""
    async with hub() as (process, edge):
        for body in process.backends.values():
            body.step = waits
        url = await ask(edge)
        tag = (await edge.client.get(url)).headers["etag"]
        waiting = noted(process)
        polling = asyncio.ensure_future(edge.client.get(url, headers={"prefer": "wait=30", "if-none-match": tag}))
        await waiting.wait()
        async with edge.client.stream("GET", f"{url}/events") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 2000"
            for body in process.backends.values():
                await body.wait_for_attempts(1)
            await edge.health.drain()
            await process.wired.wakeups.drain()
            draining = asyncio.ensure_future(edge.server.drain())
            assert [line async for line in lines if line] == []
        assert (await polling).status_code == 304
        await draining


async def test_the_operator_needs_no_key_at_the_machine_itself() -> None:
    """H31: the local socket is a client of its own; nobody else can open it."""
    async with hub() as (_, edge):
        transport = httpx.AsyncHTTPTransport(uds=str(edge.server.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as operator:
            answer = await operator.post(URL, json=QUESTION)
            assert answer.status_code == 202
            assert (await operator.get("/api/v1/processes")).status_code == 200
        assert edge.server.socket.stat().st_mode & 0o777 == 0o600
        assert (await edge.client.get(answer.headers["location"])).status_code == 404
