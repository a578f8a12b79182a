"""What a service wants to be shown, as credentials whose secrets are variables of the environment."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import msgspec

from esclusa.connectors.http.credentials import check_header
from esclusa.connectors.http.oauth2 import check_url
from esclusa.connectors.rest.openapi.description import OpenApi, Operation
from esclusa.connectors.rest.openapi.tree import listed, table, text
from esclusa.connectors.sketch.offer import variable
from esclusa.connectors.sketch.page import as_template, as_text
from esclusa.kernel.errors import InvalidRequest

REPLACE = "https://replace.example"
"""In place of an address that nobody knows."""


class Security(msgspec.Struct):
    """What one connector shows."""

    credentials: list[tuple[str, Any, str | None]] = []
    """The lines of its `[credentials.NAME]`: key, value, and what there is to say of it."""
    off: bool = False
    """Those lines can't be used as they stand: they name files that are not there."""
    query: dict[str, tuple[str, str]] = {}
    """Parameters of the query, each with what there is to say of it."""
    headers: dict[str, tuple[str, str]] = {}
    """Headers, likewise."""
    remarks: list[str] = []
    """What can't be said in keys."""

    @property
    def header(self) -> str:
        """The header that the credentials are shown in, in small letters."""
        named = [str(value) for key, value, _ in self.credentials if key == "header"]
        return named[0].lower() if named else "authorization" if self.credentials and not self.off else ""


def security_of(description: OpenApi, operation: Operation, name: str) -> Security:
    """What the connector `name` has to show to call `operation`: the first of the ways that the description leaves open."""
    source = operation.node if isinstance(operation.node.get("security"), list) else description.root
    ways = [way for way in listed(source, "security") if isinstance(way, dict)]
    found = Security()
    if not ways:
        return found
    schemes = table(table(description.root, "components"), "securitySchemes")
    way = next((each for each in ways if each), {})
    if {} in ways:
        found.remarks.append("guess: by the description, nothing has to be shown; what can be shown is written here")
    others = [" with ".join(map(str, each)) for each in ways if each and each is not way]
    if others:
        found.remarks.append(f"guess: the first of several ways to show who asks; the others are {', or '.join(others)}")
    for called, scopes in way.items():
        _add(found, description, called, description.at(schemes.get(called)), scopes, name)
    return found


def _add(found: Security, description: OpenApi, called: str, scheme: dict[str, Any], scopes: Any, name: str) -> None:
    kind, place = text(scheme, "type").lower(), text(scheme, "in")
    how = text(scheme, "scheme").lower()
    if kind == "apikey" and place in ("query", "cookie"):
        _beside(found, place, text(scheme, "name"), name)
    elif found.credentials:
        found.remarks.append(f"{called} has to be shown as well: a connector shows one of [credentials]; see its headers")
    elif kind == "apikey" and _can_be_sent(text(scheme, "name")):
        found.credentials = [
            ("kind", "apikey", None),
            ("header", as_text(text(scheme, "name")), None),
            ("value", variable(name, "key"), None),
        ]
    elif kind == "http" and how == "basic":
        found.credentials = [
            ("kind", "basic", None),
            ("username", variable(name, "user"), None),
            ("password", variable(name, "password"), None),
        ]
    elif kind == "http" and how == "bearer":
        found.credentials = [("kind", "bearer", None), ("token", variable(name, "token"), None)]
    elif kind in ("oauth2", "openidconnect"):
        found.credentials = _oauth2(description, scheme, scopes, name)
    elif kind == "mutualtls":
        found.off = True
        found.credentials = [
            ("kind", "certificate", "take away the # when both files are there"),
            ("certificate", f"{name}.pem", "guess: a PEM file beside this one"),
            ("key", f"{name}.key", "guess: a PEM file beside this one"),
        ]
    else:
        found.remarks.append(f"{called} has to be shown ({kind or 'unknown'} {how}): no connector can; see its headers")


def _beside(found: Security, place: str, called: str, name: str) -> None:
    """A key that is no header of its own."""
    if place == "query" and called:
        found.query[called] = (
            variable(name, "key"),
            "a secret in an address may end up in the service's logs; a brace is written twice",
        )
    elif called and _can_be_sent("Cookie", f"{as_template(called)}="):
        found.headers["Cookie"] = f"{as_template(called)}={variable(name, 'key')}", "a brace in the secret is written twice"


def _oauth2(description: OpenApi, scheme: dict[str, Any], scopes: Any, name: str) -> list[tuple[str, Any, str | None]]:
    flow = table(table(scheme, "flows"), "clientCredentials")
    given = text(flow, "tokenUrl") or next(
        (text(each, "tokenUrl") for each in table(scheme, "flows").values() if text(each, "tokenUrl")), ""
    )
    wanted = " ".join(each for each in (scopes if isinstance(scopes, list) else []) if isinstance(each, str))
    why = None if flow else "guess: the description has no client credentials; ask whether there is such a flow"
    url = urljoin(description.place, given) if given else ""
    try:
        check_url(url)
    except (ValueError, InvalidRequest):
        url, why = f"{REPLACE}/token", "guess: write here where tokens are asked for"
    lines: list[tuple[str, Any, str | None]] = [
        ("kind", "oauth2", None),
        ("url", as_text(url), why),
        ("clientId", variable(name, "client"), None),
        ("clientSecret", variable(name, "secret"), None),
    ]
    return [*lines, ("scope", as_text(wanted), None)] if wanted else lines


def _can_be_sent(header: str, value: str = "") -> bool:
    try:
        check_header(header, value)
    except (ValueError, InvalidRequest):
        return False
    return True
