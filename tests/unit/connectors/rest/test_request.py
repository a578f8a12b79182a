from __future__ import annotations

import base64
import json
import re

import pytest

from esclusa.connectors.backend import Question
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.rest.request import Requests, is_idempotent
from esclusa.connectors.settings import (
    ApiKeyCredentials,
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    CredentialsSettings,
)
from esclusa.connectors.transport import Request
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids

pytestmark = pytest.mark.virtual_time

REQUEST = "01890a5d-ac96-774b-bcce-b302099a8057"
QUESTION = Question(REQUEST, "expedientes", "12345678Z", {"office": "28", "text": "a<\"&'>b"})
URL = "http://dgt.example/people/{subject}"


def made(settings: RestSettings, credentials: CredentialsSettings | None = None) -> Request:
    return Requests(settings, credentials, Ids(Clock(), seed=1)).make(QUESTION)


def fields(request: Request) -> dict[str, str]:
    """By name in lower case; a name that comes twice is an error."""
    named = {name.decode().lower(): value.decode() for name, value in request.headers}
    assert len(named) == len(request.headers)
    return named


async def test_with_a_url_alone_it_is_a_get_that_accepts_json() -> None:
    request = made(RestSettings(url=URL))
    assert (request.method, request.target, request.body) == ("GET", b"/people/12345678Z", b"")
    assert fields(request)["accept"] == "application/json"


async def test_it_bears_the_request_s_id_and_as_a_trace_too() -> None:
    request = fields(made(RestSettings(url=URL)))
    assert request["x-request-id"] == REQUEST
    match = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01", request["traceparent"])
    assert match is not None
    assert match[1] == REQUEST.replace("-", "")


async def test_every_call_is_a_span_of_its_own() -> None:
    requests = Requests(RestSettings(url=URL), None, Ids(Clock()))
    assert fields(requests.make(QUESTION))["traceparent"] != fields(requests.make(QUESTION))["traceparent"]


async def test_headers_are_filled_and_left_out_without_a_value() -> None:
    headers = {"X-Office": "Office {params.office}", "X-Since": "{params.period.from}", "X-Fixed": "{{as it is}}"}
    request = fields(made(RestSettings(url=URL, headers=headers)))
    assert (request["x-office"], request["x-fixed"]) == ("Office 28", "{as it is}")
    assert "x-since" not in request


async def test_what_the_settings_say_comes_before_what_is_added() -> None:
    headers = {"accept": "text/plain", "X-REQUEST-ID": "mine-{request}", "TraceParent": "mine"}
    request = fields(made(RestSettings(url=URL, headers=headers)))
    assert request == {"accept": "text/plain", "x-request-id": f"mine-{REQUEST}", "traceparent": "mine"}


async def test_a_table_is_sent_as_json() -> None:
    request = made(RestSettings(url=URL, method="POST", body={"nif": "{subject}", "text": "{params.text}"}))
    assert fields(request)["content-type"] == "application/json"
    assert json.loads(request.body) == {"nif": "12345678Z", "text": QUESTION.params["text"]}


async def test_a_form_is_sent_urlencoded_without_the_fields_that_have_no_value() -> None:
    form = {"nif": "{subject}", "text ñ": "{params.text} y más", "since": "{params.since}"}
    request = made(RestSettings(url=URL, method="POST", form=form))
    assert fields(request)["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == b"nif=12345678Z&text%20%C3%B1=a%3C%22%26%27%3Eb%20y%20m%C3%A1s"


@pytest.mark.parametrize(
    ("accepts", "types"), [("json", "application/json"), ("xml", "application/xml, text/xml"), ("text", "text/plain")]
)
async def test_it_asks_for_the_format_that_is_wanted(accepts: str, types: str) -> None:
    settings = RestSettings(url=URL, accepts=accepts)  # type: ignore[arg-type]  # one of its literals
    assert fields(made(settings))["accept"] == types


async def test_the_same_request_for_another_target_has_all_else() -> None:
    requests = Requests(RestSettings(url=URL, method="POST", form={"a": "b"}, headers={"X-A": "{subject}"}), None, Ids(Clock()))
    request = requests.make(QUESTION)
    again = requests.again(request, "/q?n=2")
    assert again.target == b"/q?n=2"
    assert (again.method, again.headers, again.body) == (request.method, request.headers, request.body)


async def test_a_text_is_sent_as_plain_text_in_utf_8() -> None:
    request = made(RestSettings(url=URL, method="POST", body="año {params.text}{params.absent}"))
    assert fields(request)["content-type"] == "text/plain; charset=utf-8"
    assert request.body == "año a<\"&'>b".encode()


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b"""{"x": "a<\\"&'>b"}"""),
        ("text/xml; charset=utf-8", b"""{"x": "a&lt;&quot;&amp;&#x27;&gt;b"}"""),
        ("application/x-www-form-urlencoded", b"""{"x": "a%3C%22%26%27%3Eb"}"""),
    ],
)
async def test_values_are_escaped_for_the_type_that_the_headers_give_a_text(media_type: str, body: bytes) -> None:
    settings = RestSettings(url=URL, method="POST", body='{{"x": "{params.text}"}}', headers={"Content-Type": media_type})
    request = made(settings)
    assert (request.body, fields(request)["content-type"]) == (body, media_type)


@pytest.mark.parametrize(
    ("credentials", "name", "value"),
    [
        (
            BasicCredentials(username="josé", password="se:creto"),
            "authorization",
            "Basic " + base64.b64encode("josé:se:creto".encode()).decode(),
        ),
        (BearerCredentials(token="a.b{c}"), "authorization", "Bearer a.b{c}"),
        (ApiKeyCredentials(value="{key}"), "x-api-key", "{key}"),
        (ApiKeyCredentials(header="X-Clave", value="k"), "x-clave", "k"),
    ],
    ids=["basic", "bearer", "apikey", "apikey by another name"],
)
async def test_credentials_are_shown_as_they_are(credentials: CredentialsSettings, name: str, value: str) -> None:
    assert fields(made(RestSettings(url=URL), credentials))[name] == value


async def test_a_certificate_is_shown_in_no_header() -> None:
    shown = CertificateCredentials(certificate="c.pem", key="k.pem")
    assert fields(made(RestSettings(url=URL), shown)).keys() == fields(made(RestSettings(url=URL))).keys()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ñ", "\ud800"])
async def test_a_value_that_can_not_stand_in_a_header_makes_no_request(value: str) -> None:
    requests = Requests(RestSettings(url="http://dgt.example/", headers={"X-Who": "{subject}"}), None, Ids(Clock()))
    with pytest.raises(ValueError, match="a header can't have"):
        requests.make(Question(REQUEST, "q", value, {}))


@pytest.mark.parametrize(
    ("method", "said", "idempotent"),
    [
        ("GET", None, True),
        ("HEAD", None, True),
        ("PUT", None, True),
        ("POST", None, False),
        ("POST", True, True),
        ("GET", False, False),
    ],
)
async def test_whether_it_is_idempotent_is_said_by_the_method_unless_by_the_settings(
    method: str, said: bool | None, idempotent: bool
) -> None:
    settings = RestSettings(url=URL, method=method, idempotent=said)  # type: ignore[arg-type]  # one of its literals
    assert is_idempotent(settings) is idempotent
    assert made(settings).idempotent is idempotent
