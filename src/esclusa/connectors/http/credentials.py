"""What shows a back end, in the headers of a request, who we are."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from esclusa.connectors.http.oauth2 import check_oauth2
from esclusa.connectors.settings import (
    ApiKeyCredentials,
    BasicCredentials,
    BearerCredentials,
    CredentialsSettings,
    OAuth2Credentials,
)
from esclusa.connectors.template import header, header_template
from esclusa.connectors.transport import RequestTemplate


def headers_of(credentials: CredentialsSettings | None) -> dict[str, str]:
    """The headers that show who we are in every request; `ValueError` when it can't be sent.

    None for a certificate, which is shown when TLS begins, and for a token, which changes (`AuthorizedClient`).
    """
    if isinstance(credentials, BasicCredentials):
        if ":" in credentials.username:
            raise ValueError("a user name with a colon can't be sent")
        pair = f"{credentials.username}:{credentials.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if isinstance(credentials, BearerCredentials):
        return {"Authorization": f"Bearer {header(credentials.token)}"}
    if isinstance(credentials, ApiKeyCredentials):
        return {credentials.header: header(credentials.value)}
    return {}


def check_header(name: str, text: str) -> None:
    """`ValueError` or `InvalidRequest` for a header that can't be sent, with the placeholders in `text`."""
    header_template(text)
    RequestTemplate("GET", ((name.encode(), b""),))


def check_credentials(headers: Iterable[str], credentials: CredentialsSettings | None) -> None:
    """As `check_header`, of the headers that show who we are, beside the connector's own `headers`."""
    own = {name.lower() for name in headers}
    shown = list(headers_of(credentials))
    if isinstance(credentials, OAuth2Credentials):
        check_oauth2(credentials)
        shown.append("Authorization")
    for name in shown:
        check_header(name, "")
        if name.lower() in own:
            raise ValueError(f"they are shown in {name}, and the connector has that header already: leave one of the two out")
