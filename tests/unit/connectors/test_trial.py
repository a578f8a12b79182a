"""One call, looked at: of every protocol what goes out, what comes, and what becomes of it is seen (H10)."""

from __future__ import annotations

import asyncio
import re
import sys
import types
from pathlib import Path

import pytest

from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.function.settings import FunctionSettings
from esclusa.connectors.protocols import AnyConnectorSettings
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import CredentialsSettings, OAuth2Credentials, RetrySettings
from esclusa.connectors.soap import SoapSettings
from esclusa.connectors.tcp import TcpSettings
from esclusa.connectors.tcp.settings import CloseSettings, DelimiterSettings, FixedSettings, FrameSettings, LengthSettings
from esclusa.connectors.trial import Trial, tried
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.testing.hostile import Peer, always, answer, hostile
from unit.connectors.soap.service import PERSON, envelope, written
from unit.connectors.transport.calling import until

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {})
JSON = b"content-type: application/json"


async def trial(settings: AnyConnectorSettings, credentials: CredentialsSettings | None = None) -> Trial:
    return await tried("dgt", settings, credentials, QUESTION, 1000, Clock())


def kinds(seen: Trial) -> list[str]:
    return [step.kind for step in seen.steps]


async def test_of_rest_the_request_the_answer_and_the_transform_are_seen() -> None:
    async with hostile(always(answer(b'{"n": [1, 2]}', b"200 OK", JSON))) as back:
        seen = await trial(
            RestSettings(url=f"{back.url}/{{subject}}", method="POST", body={"id": "{subject}"}, transform="n[0]")
        )
    assert kinds(seen) == ["request", "answer", "transformed"]
    sent, received, transformed = seen.steps
    assert sent.head.startswith(f"POST {back.url}/12345678Z\n")
    assert "\ncontent-length: " in sent.head
    assert sent.body == '{"id":"12345678Z"}'
    assert received.head == "200\ncontent-length: 13\ncontent-type: application/json"
    assert received.body == '{"n": [1, 2]}'
    assert transformed.body == "1"
    assert seen.outcome.data == b"1"
    assert seen.began <= sent.at <= received.at <= transformed.at <= seen.ended


async def test_a_transform_that_fails_says_why_and_on_what() -> None:
    async with hostile(always(answer(b'{"n": "x"}', b"200 OK", JSON))) as back:
        seen = await trial(RestSettings(url=back.url, transform="sum(n)"))
    assert kinds(seen) == ["request", "answer", "untransformed"]
    assert "sum()" in seen.steps[-1].head
    assert seen.steps[-1].body == '{"n": "x"}'
    assert seen.outcome.reason is Reason.BACKEND_ERROR


async def test_a_call_without_answer_says_what_happened_and_what_the_policies_would_do() -> None:
    settings = RestSettings(url="http://127.0.0.1:9", retry=RetrySettings(attempts=3, first=Duration(1), most=Duration(1.5)))
    seen = await trial(settings)
    assert kinds(seen) == ["request", "failed"]
    assert seen.steps[-1].head == "connect: the connection was refused; nothing was sent"
    assert seen.rests == [1.0, 1.5]


async def test_one_that_takes_too_long_is_ended_by_its_timeout() -> None:
    async with hostile("hang_on_accept") as back:
        seen = await trial(RestSettings(url=back.url, timeout=Duration(0.05)))
    assert seen.outcome.reason is Reason.BACKEND_TIMEOUT
    assert 0.04 < seen.took < 5


async def test_who_stops_looking_leaves_nothing_open() -> None:
    async with hostile("hang_on_accept") as back:
        looking = asyncio.ensure_future(trial(RestSettings(url=back.url)))
        await until(lambda: back.accepted > 0)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
    assert not back.open


async def test_what_is_sent_with_a_token_is_seen_with_it() -> None:
    token = answer(b'{"access_token": "one"}', b"200 OK", JSON)
    async with hostile(always(token)) as server, hostile(always(answer(b"1", b"200 OK", JSON))) as back:
        credentials = OAuth2Credentials(url=server.url, client_id="hub", client_secret="secret")
        seen = await trial(RestSettings(url=back.url, credentials="sso"), credentials)
    assert kinds(seen) == ["request", "answer", "request", "answer"], "the token is asked for first"
    assert seen.steps[1].body == '{"access_token": "one"}'
    assert "\nauthorization: Bearer one" in seen.steps[2].head
    assert seen.secrets == ["one"]


async def test_where_no_token_is_to_be_had_what_its_server_says_is_seen() -> None:
    refusal = answer(b'{"error": "invalid_scope"}', b"400 Bad Request", JSON)
    async with hostile(always(refusal)) as server:
        credentials = OAuth2Credentials(url=server.url, client_id="hub", client_secret="secret", scope="read.all")
        seen = await trial(RestSettings(url="http://127.0.0.1:9", credentials="sso"), credentials)
    assert kinds(seen) == ["request", "answer"]
    assert "scope=read.all" in seen.steps[0].body
    assert seen.steps[1].body == '{"error": "invalid_scope"}'


async def test_where_its_server_is_slow_that_is_seen() -> None:
    async with hostile("silence") as server:
        credentials = OAuth2Credentials(url=server.url, client_id="hub", client_secret="secret")
        settings = RestSettings(url="http://127.0.0.1:9", credentials="sso", timeout=Duration(0.05))
        seen = await trial(settings, credentials)
    assert [(step.kind, step.head) for step in seen.steps[1:]] == [("failed", "no answer had come when the call was over")]
    assert seen.outcome.reason is Reason.BACKEND_TIMEOUT


async def test_of_soap_both_envelopes_are_seen(tmp_path: Path) -> None:
    said = answer(envelope(PERSON), b"200 OK", b"content-type: text/xml; charset=utf-8")
    async with hostile(always(said)) as back:
        wsdl = written(tmp_path, back.port)
        seen = await trial(SoapSettings(wsdl=wsdl, operation="Person", arguments={"id": "{subject}"}, transform="name"))
    assert kinds(seen) == ["request", "answer", "transformed"]
    assert "12345678Z" in seen.steps[0].body
    assert "Envelope" in seen.steps[1].body


async def test_of_tcp_both_messages_are_seen_as_they_go_over_the_wire() -> None:
    async def script(peer: Peer) -> None:
        await peer.some()
        await peer.send(b"OK Ana\n")
        await peer.gone()

    async with hostile(script) as back:
        seen = await trial(TcpSettings(host="127.0.0.1", port=back.port, request="GET {subject}\n", answer="OK {name}"))
    assert [(step.kind, step.body) for step in seen.steps] == [("request", "GET 12345678Z\n"), ("answer", "OK Ana")]
    assert seen.outcome.data == b'{"name":"Ana"}'


@pytest.mark.parametrize(
    ("frame", "reason", "why"),
    [
        (DelimiterSettings(delimiter="\n\n"), Reason.BACKEND_TIMEOUT, "timeout: no whole answer came in time"),
        (FixedSettings(size=80), Reason.BACKEND_TIMEOUT, "timeout: no whole answer came in time"),
        (CloseSettings(), Reason.BACKEND_TIMEOUT, "timeout: no whole answer came in time"),
        (LengthSettings(), Reason.BACKEND_ERROR, "protocol: the length that it tells is none"),
    ],
)
async def test_of_a_frame_that_is_another_one_what_did_come_is_seen(frame: FrameSettings, reason: Reason, why: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.some()
        await peer.send(b"OK Ana\r\n")
        await peer.gone()

    async with hostile(script) as back:
        settings = TcpSettings(host="127.0.0.1", port=back.port, request="{subject}", frame=frame, timeout=Duration(0.5))
        seen = await trial(settings)
    assert [(step.kind, step.head, step.body) for step in seen.steps[1:]] == [
        ("failed", f"{why}; what came stands below", r"OK Ana\r\n")
    ]
    assert seen.outcome.reason is reason


async def test_of_a_host_that_says_nothing_that_is_seen() -> None:
    async with hostile("silence") as back:
        settings = TcpSettings(host="127.0.0.1", port=back.port, request="{subject}", timeout=Duration(0.05))
        seen = await trial(settings)
    assert [step.head for step in seen.steps[1:]] == ["timeout: no whole answer came in time"]


async def test_of_a_host_that_is_not_there_the_failure_is_seen() -> None:
    seen = await trial(TcpSettings(host="127.0.0.1", port=9, request="GET {subject}\n"))
    assert kinds(seen) == ["request", "failed"]


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> str:
    module = types.ModuleType("ours_for_a_trial")

    def find(question: Question) -> object:
        if question.query != "expedientes":
            raise LookupError(question.query)
        return {"found": question.subject}

    async def fails(_: Question) -> object:
        raise LookupError("no such table")

    vars(module).update(find=find, fails=fails)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


async def test_of_a_function_what_it_is_given_and_returns_or_raises_is_seen(ours: str) -> None:
    seen = await trial(FunctionSettings(function=f"{ours}:find"))
    assert kinds(seen) == ["request", "answer"]
    assert "subject='12345678Z'" in seen.steps[0].head
    assert seen.steps[1].head == "{'found': '12345678Z'}"
    seen = await trial(FunctionSettings(function=f"{ours}:fails"))
    assert re.fullmatch(r"LookupError: no such table \(test_trial\.py:\d+\)", seen.steps[1].head)
    assert seen.outcome.detail == "It failed"


async def test_of_what_is_made_up_nothing_is_sent() -> None:
    seen = await trial(RestSettings(url="http://127.0.0.1:9", mock=True))
    assert kinds(seen) == []
    assert seen.outcome.reason is None
