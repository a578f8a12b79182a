"""What shows a back end who we are."""

from __future__ import annotations

import pytest

from esclusa.connectors.http.credentials import check_credentials, check_header, headers_of
from esclusa.connectors.settings import ApiKeyCredentials, BasicCredentials, BearerCredentials, CertificateCredentials
from esclusa.kernel.errors import InvalidRequest


def test_each_kind_has_its_header() -> None:
    assert headers_of(BasicCredentials(username="me", password="it")) == {"Authorization": "Basic bWU6aXQ="}
    assert headers_of(BearerCredentials(token="t")) == {"Authorization": "Bearer t"}
    assert headers_of(ApiKeyCredentials(header="X-Key", value="k")) == {"X-Key": "k"}
    assert headers_of(CertificateCredentials(certificate="c.pem", key="k.pem")) == {}
    assert headers_of(None) == {}


def test_a_header_that_the_connector_has_itself_is_refused() -> None:
    check_credentials(["X-Other"], BearerCredentials(token="t"))
    with pytest.raises(ValueError, match="leave one of the two out"):
        check_credentials(["authorization"], BearerCredentials(token="t"))


@pytest.mark.parametrize(("name", "text"), [("X Y", "k"), ("X", "ñ"), ("X", "a{nobody}")])
def test_a_header_that_can_not_be_sent_is_refused(name: str, text: str) -> None:
    with pytest.raises((ValueError, InvalidRequest)):
        check_header(name, text)
