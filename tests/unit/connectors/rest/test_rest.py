"""A REST connector, whole, against a back end on a real socket (H10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings, RetrySettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.testing.hostile import Certificates, Hostile, Peer, Script, answer, hostile, secured

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {"office": "28"})
JSON = b"content-type: application/json"


@asynccontextmanager
async def made(settings: RestSettings, credentials: CredentialsSettings | None = None) -> AsyncIterator[Connector]:
    clock = Clock()
    ids = Ids(clock)
    backend = make_backend("dgt", settings, credentials, Workshop(clock, ids, 1000, Contexts()))
    one = Connector("dgt", backend, settings, clock, ids, Instrument())
    try:
        yield one
    finally:
        await one.close()


async def ask(one: Connector, question: Question = QUESTION, *, seconds: float = 20.0) -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    one.offer(question, Clock().now() + seconds, answered.set_result)
    return await answered


def told(requests: list[bytes], *answers: bytes) -> Script:
    """Keeps the requests, and answers with each of `answers` in turn; the last one again and again. `b""` hangs."""
    left = list(answers)

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            requests.append(request)
            said = left.pop(0) if len(left) > 1 else left[0]
            if not said:
                await peer.gone()
            await peer.send(said)

    return script


def url(back: Hostile) -> str:
    return f"http://127.0.0.1:{back.port}/people/{{subject}}"


async def test_a_question_goes_out_as_a_request_and_its_answer_comes_back_as_it_is() -> None:
    requests: list[bytes] = []
    async with hostile(told(requests, answer(b'{"n": 1}', b"200 OK", JSON))) as back:
        settings = RestSettings(url=url(back), query={"office": "{params.office}", "since": "{params.since}"})
        async with made(settings) as one:
            said = await ask(one)
    assert (said.reason, said.data, said.attempts) == (None, b'{"n": 1}', 1)
    assert requests[0].startswith(b"GET /people/12345678Z?office=28 HTTP/1.1\r\n")


async def test_connections_are_kept_for_the_next_question() -> None:
    async with hostile(told([], answer(b"{}"))) as back, made(RestSettings(url=url(back))) as one:
        for _ in range(5):
            assert (await ask(one)).reason is None
        assert back.accepted == 1


async def test_a_post_takes_its_body_and_is_not_repeated_once_it_was_sent() -> None:
    requests: list[bytes] = []
    async with hostile(told(requests, answer(b"", b"503 Busy"), answer(b"{}"))) as back:
        settings = RestSettings(
            url=url(back), method="POST", body={"nif": "{subject}"}, retry=RetrySettings(attempts=3, first=Duration(0))
        )
        async with made(settings) as one:
            said = await ask(one)
    assert (said.reason, said.detail, said.attempts) == (Reason.BACKEND_ERROR, "It answered with status 503", 1)
    assert [request.partition(b"\r\n\r\n")[2] for request in requests] == [b'{"nif":"12345678Z"}']


async def test_a_get_is_repeated_and_may_then_succeed() -> None:
    requests: list[bytes] = []
    async with hostile(told(requests, answer(b"", b"503 Busy"), b"garbage\r\n\r\n", answer(b"[1]"))) as back:
        settings = RestSettings(url=url(back), retry=RetrySettings(attempts=3, first=Duration(0.001)))
        async with made(settings) as one:
            said = await ask(one)
    assert (said.reason, said.data, said.attempts) == (None, b"[1]", 3)


async def test_a_post_is_repeated_when_nothing_was_sent() -> None:
    async with hostile(told([], answer(b"{}"))) as back:
        settings = RestSettings(url=url(back), method="POST", retry=RetrySettings(attempts=2, first=Duration(0)))
    async with made(settings) as one:  # the back end is gone
        said = await ask(one)
    assert (said.reason, said.attempts) == (Reason.BACKEND_ERROR, 2)
    assert said.detail == "It can't be reached: the connection was refused"


async def test_one_that_hangs_is_cut_at_its_timeout() -> None:
    async with hostile(told([], b"")) as back, made(RestSettings(url=url(back), timeout=Duration(0.1))) as one:
        said = await ask(one)
    assert (said.reason, said.detail) == (Reason.BACKEND_TIMEOUT, "No answer in time")
    assert 90 <= said.elapsed < 2000


async def test_and_at_call_by() -> None:
    async with hostile(told([], b"")) as back, made(RestSettings(url=url(back))) as one:
        said = await ask(one, seconds=0.1)
    assert said.reason is Reason.BACKEND_TIMEOUT


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (answer(b"x" * 1001), "The answer is too large"),
        (answer(b"<html>works</html>"), "What it answered is not JSON"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "What it answered is not HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{", None),
        (
            answer(b"", b"302 Found", b"location: http://elsewhere.example/"),
            "It answered with a redirect (302), which is not followed",
        ),
    ],
    ids=["too large", "a page", "not HTTP", "cut", "redirect"],
)
async def test_what_is_no_answer_is_a_backend_error_in_our_words(said: bytes, detail: str | None) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(said)

    async with hostile(script) as back, made(RestSettings(url=url(back))) as one:
        answered = await ask(one)
    assert (answered.reason, answered.data) == (Reason.BACKEND_ERROR, None)
    assert detail is None or answered.detail.startswith(detail)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("..", "a value would lead to another path"),
        ("", "a value in the path is empty"),
        ("\ud800", "a value has characters that can't be sent"),
    ],
)
async def test_what_can_not_be_asked_is_a_backend_error_and_nothing_is_sent(subject: str, why: str) -> None:
    requests: list[bytes] = []
    async with hostile(told(requests, answer(b"{}"))) as back, made(RestSettings(url=url(back))) as one:
        said = await ask(one, Question(QUESTION.request, "q", subject, {}))
        assert (await ask(one)).reason is None
    assert (said.reason, said.detail) == (Reason.BACKEND_ERROR, f"It can't be asked this: {why}")
    assert len(requests) == 1


async def test_a_404_may_mean_nothing_about_this_person() -> None:
    not_found = told([], answer(b"gone", b"404 Not Found"))
    async with hostile(not_found) as back, made(RestSettings(url=url(back), statuses={"404": "empty"})) as one:
        said = await ask(one)
    assert (said.reason, said.data) == (None, None)


async def test_head_tells_only_whether() -> None:
    bare = told([], b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")
    async with hostile(bare) as back, made(RestSettings(url=url(back), method="HEAD")) as one:
        said = await ask(one)
        assert (await ask(one)).reason is None
    assert (said.reason, said.data) == (None, None)


async def test_dropping_a_safe_call_closes_its_connection_and_frees_the_slot() -> None:
    gone = asyncio.Event()
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number:
            await peer.send(answer(b"{}"))
            return
        arrived.set()
        await peer.gone()
        gone.set()

    async with hostile(script) as back, made(RestSettings(url=url(back), concurrency=1)) as one:
        ticket = one.offer(QUESTION, Clock().now() + 20, lambda _: pytest.fail("it was dropped"))
        await arrived.wait()
        ticket.drop()
        assert (await ask(one)).reason is None
        await gone.wait()


async def test_over_tls_with_an_authority_of_our_own_and_a_certificate_of_ours(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    certificate, key = certificates.client("hub.example")
    side = certificates.server("dgt.example", clients=True)
    async with hostile(secured(side, told([], answer(b"[1]")))) as back:
        settings = RestSettings(
            url=f"https://127.0.0.1:{back.port}/{{subject}}",
            tls=TlsSettings(ca=certificates.ca, name="dgt.example"),
            credentials="ours",
        )
        async with made(settings, CertificateCredentials(certificate=certificate, key=key)) as one:
            assert (await ask(one)).data == b"[1]"
        async with made(settings) as one:
            assert (await ask(one)).reason is Reason.BACKEND_ERROR, "it shows no certificate"


async def test_a_back_end_whose_certificate_is_not_trusted_is_not_asked(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    requests: list[bytes] = []
    side = certificates.server("127.0.0.1")
    async with (
        hostile(secured(side, told(requests, answer(b"[1]")))) as back,
        made(RestSettings(url=f"https://127.0.0.1:{back.port}/")) as one,
    ):
        said = await ask(one)
    assert said.reason is Reason.BACKEND_ERROR
    assert said.detail.startswith("There is no secure connection with it: ")
    assert requests == []


async def test_many_questions_at_once_never_take_more_connections_than_its_concurrency() -> None:
    async with hostile(told([], answer(b"{}"))) as back:
        async with made(RestSettings(url=url(back), concurrency=4)) as one:
            answers = await asyncio.gather(*(ask(one) for _ in range(200)))
        assert {said.reason for said in answers} == {None}
        assert back.accepted <= 4
