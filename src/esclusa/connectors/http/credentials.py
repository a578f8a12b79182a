"""What shows a back end, in the headers of a request, who we are."""

from __future__ import annotations

import base64
from collections.abc import Collection
from functools import partial

from esclusa.connectors.faults import Check
from esclusa.connectors.http.oauth2 import check_parameters, check_url
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


def credential_checks(name: str, headers: Collection[str], credentials: CredentialsSettings | None) -> list[Check]:
    """Of the credentials `name`, key by key, and of what shows them beside the connector's own `headers`."""
    here = ("credentials", name)
    checks: list[Check] = []
    shown: str | None = "Authorization"
    match credentials:
        case BasicCredentials():
            checks.append(((*here, "username"), partial(headers_of, credentials)))
        case BearerCredentials():
            checks.append(((*here, "token"), partial(headers_of, credentials)))
        case ApiKeyCredentials(header=shown):
            checks += [
                ((*here, "header"), partial(check_header, shown, "")),
                ((*here, "value"), partial(headers_of, credentials)),
            ]
        case OAuth2Credentials():
            checks += [
                ((*here, "url"), partial(check_url, credentials.url)),
                ((*here, "parameters"), partial(check_parameters, credentials.parameters)),
            ]
        case _:
            shown = None
    return [*checks, ((*here, "kind"), partial(_shown_once, shown, headers))]


def _shown_once(shown: str | None, headers: Collection[str]) -> None:
    if shown is not None and shown.lower() in {name.lower() for name in headers}:
        raise ValueError(f"they are shown in {shown}, and the connector has that header already: leave one of the two out")
