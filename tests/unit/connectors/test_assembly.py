from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esclusa.connectors.assembly import faults, make_backend
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.rest.settings import PagingSettings, RevalidateSettings
from esclusa.connectors.settings import (
    ApiKeyCredentials,
    BasicCredentials,
    BearerCredentials,
    BreakerSettings,
    CertificateCredentials,
    CredentialsSettings,
    ItemsSettings,
)
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import ConfigurationError
from esclusa.kernel.ids import Ids

URL = "https://dgt.example/people/{subject}"
CERTIFICATE = CertificateCredentials(certificate="no-such.pem", key="no-such.key")


def wrong(credentials: CredentialsSettings | None = None, url: str = URL, **settings: Any) -> dict[str, str]:
    """What is wrong, by dotted key."""
    said = RestSettings(url=url, credentials=None if credentials is None else "ours", **settings)
    return {".".join(path): what for path, what in faults("dgt", said, credentials)}


def test_nothing_is_wrong_with_a_url_alone() -> None:
    assert wrong() == {}


def test_nothing_is_wrong_with_everything() -> None:
    assert (
        wrong(
            BasicCredentials(username="u", password="p:w"),
            method="POST",
            query={"a": "{params.a.from}"},
            headers={"X-A": "{request}"},
            body={"nif": "{subject}"},
            transform="a.b[].c",
            tls=TlsSettings(name="dgt.example"),
        )
        == {}
    )


def test_items_and_a_transform_are_one_too_many() -> None:
    found = wrong(transform="a", items=ItemsSettings(label="a"))
    assert found == {"connectors.dgt.transform": "items say what becomes of the answer already: leave one of the two out"}


def test_what_a_rest_connector_sends_and_reads_is_said_in_one_way() -> None:
    assert wrong(method="POST", form={"a": "{subject}"}) == {}
    assert wrong(method="POST", form={"a": "b"}, body="c").keys() == {"connectors.dgt.form"}
    assert wrong(form={"a": "b"}).keys() == {"connectors.dgt.form"}
    assert wrong(method="POST", form={"a": "{one}"}).keys() >= {"connectors.dgt.form.a"}
    assert wrong(lists=["a"]).keys() == {"connectors.dgt.lists"}
    assert wrong(accepts="xml", lists=["a"]) == {}


def test_every_expression_of_items_is_looked_at() -> None:
    assert wrong(items=ItemsSettings(label="a", state="b[")) == {
        "connectors.dgt.items.state": "this is no JMESPath expression, from character 3 on"
    }


def test_every_mistake_is_named_with_its_key() -> None:
    found = wrong(
        BasicCredentials(username="a:b", password="p"),
        url="https://dgt.example/{person}/{nif}",
        query={"a": "{one}", "b": "{subject}", "c": "{"},
        headers={"X-A": "{two}", "X B": "x", "Content-Length": "3"},
        body={"a": ["{three}"]},
        transform="a[",
        breaker=BreakerSettings(window=Duration(0), counts=["timeouts"]),
    )
    assert list(found) == [
        "connectors.dgt.url",
        "connectors.dgt.query.a",
        "connectors.dgt.query.c",
        "connectors.dgt.headers.X-A",
        "connectors.dgt.headers.X B",
        "connectors.dgt.headers.Content-Length",
        "connectors.dgt.body",
        "credentials.ours.username",
        "connectors.dgt.transform",
        "connectors.dgt.breaker.window",
        "connectors.dgt.breaker.counts",
    ]
    assert found["connectors.dgt.url"].startswith("{person}, {nif}: a placeholder is one of")


@pytest.mark.parametrize(
    ("further", "why"),
    [
        ({"method": "POST"}, "an answer to POST is not asked for again: leave it out"),
        ({"paging": PagingSettings()}, "pages are not remembered: leave one of the two out"),
        ({"headers": {"If-None-Match": "x"}}, "the headers have if-none-match already: leave one of the two out"),
    ],
)
def test_what_can_not_be_asked_for_again_is_told(further: dict[str, Any], why: str) -> None:
    assert wrong(revalidate=RevalidateSettings(), **further) == {"connectors.dgt.revalidate": why}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_needs_a_method_that_has_one(method: str) -> None:
    assert wrong(method=method, body="x") == {
        "connectors.dgt.body": f'a {method} has no body: add method = "POST", or leave the body out'
    }


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (BearerCredentials(token="t"), "authorization"),
        (BasicCredentials(username="u", password="p"), "AUTHORIZATION"),
        (ApiKeyCredentials(value="k"), "x-api-key"),
    ],
)
def test_credentials_and_a_header_of_the_same_name_are_one_too_many(credentials: CredentialsSettings, header: str) -> None:
    assert "leave one of the two out" in wrong(credentials, headers={header: "x"})["credentials.ours.kind"]


@pytest.mark.parametrize(
    ("credentials", "key"),
    [
        (BearerCredentials(token="a\r\nb"), "token"),
        (ApiKeyCredentials(value="ñ"), "value"),
        (ApiKeyCredentials(header="X Y", value="k"), "header"),
    ],
)
def test_credentials_that_can_not_be_sent_are_named_without_being_told(credentials: CredentialsSettings, key: str) -> None:
    found = wrong(credentials)
    assert list(found) == [f"credentials.ours.{key}"]
    assert "ñ" not in found[f"credentials.ours.{key}"]


def test_certificates_need_https() -> None:
    found = wrong(CERTIFICATE, url="http://dgt.example/", tls=TlsSettings(name="dgt.example"))
    assert list(found) == ["connectors.dgt.tls", "connectors.dgt.credentials"]


def make(settings: RestSettings, credentials: CredentialsSettings | None = None) -> list[str]:
    """The mistakes for which it can't be made."""
    clock = Clock()
    with pytest.raises(ConfigurationError) as raised:
        make_backend("dgt", settings, credentials, Workshop(clock, Ids(clock), 1000, Contexts()))
    return [mistake.what for mistake in raised.value.mistakes]


async def test_what_is_wrong_is_raised_whole() -> None:
    mistakes = make(RestSettings(url="http://dgt.example/{x}", transform="a["))
    assert [what.partition(":")[0] for what in mistakes] == ["connectors.dgt.url", "connectors.dgt.transform"]


async def test_files_that_can_not_be_used_are_named_with_their_key(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.pem")
    (what,) = make(RestSettings(url=URL, tls=TlsSettings(ca=absent)))
    assert what.startswith(f"connectors.dgt.tls.ca: {absent}: ")
    (what,) = make(RestSettings(url=URL, credentials="ours"), CERTIFICATE)
    assert what.startswith("credentials.ours.certificate: no-such.pem: ")
