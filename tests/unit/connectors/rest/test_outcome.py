from __future__ import annotations

import json
from typing import Any

import pytest

from esclusa.connectors.backend import TOO_LARGE, Outcome, Reason
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.rest.outcome import Outcomes, kinds
from esclusa.connectors.transform import compiled
from esclusa.connectors.transport import HttpError, Response
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import HttpErrorKind
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time


def outcomes(*, idempotent: bool = True, transform: str | None = None, max_answer: int = 1000, **settings: Any) -> Outcomes:
    said = RestSettings(url="http://dgt.example/", **settings)
    return Outcomes(
        said, None if transform is None else compiled(transform), max_answer, Clock(epoch=EPOCH), idempotent=idempotent
    )


def answer(body: bytes = b"{}", status: int = 200, content_type: str = "application/json", **headers: str) -> Response:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Response(status, [(b"content-type", content_type.encode()), *fields], body)


async def test_json_passes_byte_for_byte() -> None:
    body = '{ "a" : 1.50,\n "b": "a\\u00f1o ñ" }'.encode()
    assert outcomes().read(answer(body)) == Outcome(data=body)


@pytest.mark.parametrize("status", [200, 201, 202, 203, 299])
async def test_any_2xx_is_ok(status: int) -> None:
    assert outcomes().read(answer(b"[]", status)) == Outcome(data=b"[]")


@pytest.mark.parametrize("status", [204, 205])
async def test_what_has_no_content_is_ok_with_no_data(status: int) -> None:
    assert outcomes().read(answer(b"", status)) == Outcome()


async def test_the_answer_to_head_is_ok_with_no_data() -> None:
    assert outcomes(method="HEAD").read(answer(b"")) == Outcome()


async def test_a_status_that_means_nothing_about_the_subject_is_ok_with_no_data() -> None:
    assert outcomes(statuses={"404": "empty"}).read(answer(b"<html>not found", 404)) == Outcome()


async def test_statuses_count_more_than_their_class_and_both_more_than_the_usual() -> None:
    table = kinds({"404": "empty", "4xx": "ok", "2xx": "error", "200": "ok"})
    assert (table[404], table[400], table[201], table[200], table[204]) == ("empty", "ok", "error", "ok", "error")
    assert table.get(500) is None


async def test_a_status_that_is_none_of_http_is_an_error() -> None:
    assert outcomes().read(answer(status=999)).reason is Reason.BACKEND_ERROR


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_an_error(status: int) -> None:
    outcome = outcomes().read(answer(b"", status, location="http://elsewhere.example/"))
    assert outcome == Outcome(
        reason=Reason.BACKEND_ERROR, detail=f"It answered with a redirect ({status}), which is not followed", cause=str(status)
    )


@pytest.mark.parametrize(
    ("status", "failure", "again"),
    [
        (400, False, False),
        (401, False, False),
        (404, False, False),
        (408, False, True),
        (429, True, True),
        (500, True, True),
        (503, True, True),
        (599, True, True),
    ],
)
async def test_which_statuses_tell_of_health_and_which_may_go_better_next_time(status: int, failure: bool, again: bool) -> None:
    outcome = outcomes().read(answer(b"", status))
    assert outcome == Outcome(
        reason=Reason.BACKEND_ERROR, detail=f"It answered with status {status}", failure=failure, again=again, cause=str(status)
    )


async def test_what_is_not_safe_is_not_asked_again_whatever_was_answered() -> None:
    not_idempotent = outcomes(idempotent=False)
    assert not any(not_idempotent.read(answer(b"garbage", status)).again for status in (200, 408, 429, 500, 503))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b'{"a": 1} trailing', b"NaN", b'{"a": "\xff"}', b"\xff\xfe{}", b"[" * 100_000],
    ids=["nothing", "a page", "cut", "trailing", "no number", "no UTF-8", "no charset", "too deep"],
)
@pytest.mark.parametrize("transform", [None, "@"])
async def test_what_is_not_json_is_an_error_that_counts(body: bytes, transform: str | None) -> None:
    outcome = outcomes(transform=transform, max_answer=1_000_000).read(answer(body))
    assert outcome == Outcome(
        reason=Reason.BACKEND_ERROR, detail="What it answered is not JSON", again=True, failure=True, cause="answer"
    )


@pytest.mark.parametrize("charset", ["iso-8859-1", "ISO-8859-15", '"windows-1252"', "utf-16"])
async def test_json_in_another_charset_is_put_into_utf_8(charset: str) -> None:
    body = '{"a":"año"}'.encode(charset.strip('"'))
    outcome = outcomes().read(answer(body, content_type=f"application/json; charset={charset}"))
    assert outcome.data == '{"a":"año"}'.encode()


@pytest.mark.parametrize("charset", ["klingon", "punycode", "rot13", "unicode_escape", "utf-7"])
async def test_a_charset_that_is_none_is_garbage(charset: str) -> None:
    outcome = outcomes().read(answer(b"{}", content_type=f"application/json; charset={charset}"))
    assert outcome.detail == "What it answered is not JSON"


@pytest.mark.parametrize(
    ("accepts", "detail"),
    [("xml", "What it answered is not XML that can be read"), ("text", "What it answered is not text in a known charset")],
)
async def test_what_is_not_in_the_format_that_is_wanted_is_an_error_that_counts(accepts: str, detail: str) -> None:
    outcome = outcomes(accepts=accepts).read(answer(b"\xff{}"))
    assert outcome == Outcome(reason=Reason.BACKEND_ERROR, detail=detail, again=True, failure=True, cause="answer")


async def test_xml_is_transformed_like_json() -> None:
    outcome = outcomes(accepts="xml", lists=["f"], transform="r.f[].n").read(answer(b"<r><f><n>1</n></f></r>"))
    assert outcome == Outcome(data=b'["1"]')


async def test_a_text_is_the_data() -> None:
    outcome = outcomes(accepts="text").read(answer("año".encode("latin-1"), content_type="text/plain; charset=iso-8859-1"))
    assert outcome == Outcome(data='"año"'.encode())


async def test_a_transform_makes_the_data() -> None:
    outcome = outcomes(transform="files[].id").read(answer(b'{"files": [{"id": 1}, {"id": 2}]}'))
    assert outcome == Outcome(data=b"[1,2]")


async def test_a_transform_that_leaves_nothing_is_ok_with_no_data() -> None:
    assert outcomes(transform="files").read(answer(b"{}")) == Outcome()


async def test_a_transform_that_fails_is_an_error_in_our_words_that_does_not_count() -> None:
    outcome = outcomes(transform="join(' ', secret)").read(answer(b'{"secret": 1}'))
    assert outcome == Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered can't be transformed", cause="answer")


async def test_a_transform_reads_the_charset_too() -> None:
    body = '{"a":"año"}'.encode("latin-1")
    outcome = outcomes(transform="a").read(answer(body, content_type="text/json;charset=ISO-8859-1"))
    assert json.loads(outcome.data or b"") == "año"


async def test_data_beyond_the_limit_are_too_large_also_when_a_transform_has_made_them() -> None:
    too_large = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")
    assert outcomes(max_answer=5).read(answer(b'"123"')) == Outcome(data=b'"123"')
    assert outcomes(max_answer=5).read(answer(b'"1234"')) == too_large
    assert outcomes(max_answer=8, transform="[a,a,a]").read(answer(b'{"a":1}')) == Outcome(data=b"[1,1,1]")
    assert outcomes(max_answer=6, transform="[a,a,a]").read(answer(b'{"a":1}')) == too_large


async def test_what_it_says_of_when_to_come_back_is_heard() -> None:
    assert outcomes().read(answer(b"", 503, retry_after="7")).after == 7


@pytest.mark.parametrize(
    ("kind", "sent", "failure", "again_if_idempotent", "again_if_not"),
    [
        ("busy", False, False, True, True),
        ("resolve", False, True, True, True),
        ("connect", False, True, True, True),
        ("tls", False, True, True, True),
        ("timeout", False, True, True, True),
        ("timeout", True, True, True, False),
        ("closed", False, True, True, True),
        ("closed", True, True, True, False),
        ("protocol", True, True, True, False),
        ("too_large", True, False, False, False),
        ("aborted", True, False, False, False),
    ],
)
async def test_how_a_call_without_answer_ends(
    kind: HttpErrorKind, sent: bool, failure: bool, again_if_idempotent: bool, again_if_not: bool
) -> None:
    error = HttpError(kind, "what happened", sent=sent)
    for idempotent, again in ((True, again_if_idempotent), (False, again_if_not)):
        outcome = outcomes(idempotent=idempotent).read(error)
        assert outcome.reason is (Reason.BACKEND_TIMEOUT if kind == "timeout" else Reason.BACKEND_ERROR)
        assert (outcome.failure, outcome.again) == (failure, again)
        assert outcome.detail


async def test_where_the_back_end_is_is_told_to_nobody() -> None:
    outcome = outcomes().read(HttpError("resolve", "no address is known for inside.example"))
    assert outcome.detail == "Its address is not known"
    outcome = outcomes().read(HttpError("tls", "its certificate has expired"))
    assert outcome.detail == "There is no secure connection with it: its certificate has expired"
