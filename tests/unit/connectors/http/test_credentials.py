"""What shows a back end who we are."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from esclusa.connectors.faults import KeyPath
from esclusa.connectors.http.credentials import check_header, credential_checks, headers_of
from esclusa.connectors.settings import (
    ApiKeyCredentials,
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    CredentialsSettings,
    OAuth2Credentials,
)
from esclusa.kernel.errors import InvalidRequest


def test_each_kind_has_its_header() -> None:
    assert headers_of(BasicCredentials(username="me", password="it")) == {"Authorization": "Basic bWU6aXQ="}
    assert headers_of(BearerCredentials(token="t")) == {"Authorization": "Bearer t"}
    assert headers_of(ApiKeyCredentials(header="X-Key", value="k")) == {"X-Key": "k"}
    assert headers_of(CertificateCredentials(certificate="c.pem", key="k.pem")) == {}
    assert headers_of(None) == {}


def wrong(credentials: CredentialsSettings, headers: Collection[str] = ()) -> dict[KeyPath, str]:
    """What the checks say, by key."""
    found = {}
    for path, check in credential_checks("sede", headers, credentials):
        try:
            check()
        except (ValueError, InvalidRequest) as error:
            found[path] = str(error)
    return found


def test_a_header_that_the_connector_has_itself_is_refused() -> None:
    assert wrong(BearerCredentials(token="t"), ["X-Other"]) == {}
    (what,) = wrong(BearerCredentials(token="t"), ["authorization"]).values()
    assert what.endswith("leave one of the two out")


@pytest.mark.parametrize(
    ("credentials", "key"),
    [
        (BasicCredentials(username="a:b", password="p@ss"), "username"),
        (BearerCredentials(token="ñ"), "token"),
        (ApiKeyCredentials(value="a\nb"), "value"),
        (ApiKeyCredentials(header="X Key", value="a"), "header"),
        (OAuth2Credentials(url="sso.example/token", client_id="a", client_secret="b"), "url"),
        (OAuth2Credentials(url="https://x/", client_id="a", client_secret="b", parameters={"scope": "c"}), "parameters"),
    ],
)
def test_what_can_not_be_shown_is_told_of_the_key_where_it_stands(credentials: CredentialsSettings, key: str) -> None:
    assert list(wrong(credentials)) == [("credentials", "sede", key)]


def test_a_certificate_is_shown_in_no_header() -> None:
    assert wrong(CertificateCredentials(certificate="c.pem", key="k.pem"), ["Authorization"]) == {}


@pytest.mark.parametrize(("name", "text"), [("X Y", "k"), ("X", "ñ"), ("X", "a{nobody}")])
def test_a_header_that_can_not_be_sent_is_refused(name: str, text: str) -> None:
    with pytest.raises((ValueError, InvalidRequest)):
        check_header(name, text)
