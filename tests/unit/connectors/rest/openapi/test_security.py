"""What a service wants to be shown, as credentials."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esclusa.connectors.rest.openapi.description import OpenApi
from esclusa.connectors.rest.openapi.security import Security, security_of


def security(*ways: Any, place: str = "x", **schemes: Any) -> Security:
    whole = {
        "openapi": "3.0.0",
        "paths": {"/a": {"get": {"security": list(ways)}}},
        "components": {"securitySchemes": schemes},
        "security": [{"other": []}],
    }
    description = OpenApi(msgspec.json.encode(whole), place)
    return security_of(description, description.operations[0], "dgt")


def lines(found: Security) -> dict[str, Any]:
    return {key: value for key, value, _ in found.credentials}


@pytest.mark.parametrize(
    ("scheme", "expected", "header"),
    [
        (
            {"type": "http", "scheme": "Basic"},
            {"kind": "basic", "username": "${DGT_USER}", "password": "${DGT_PASSWORD}"},
            "authorization",
        ),
        ({"type": "http", "scheme": "bearer"}, {"kind": "bearer", "token": "${DGT_TOKEN}"}, "authorization"),
        ({"type": "apiKey", "in": "header", "name": "X-K"}, {"kind": "apikey", "header": "X-K", "value": "${DGT_KEY}"}, "x-k"),
        ({"type": "mutualTLS"}, {"kind": "certificate", "certificate": "dgt.pem", "key": "dgt.key"}, ""),
    ],
)
def test_schemes_become_credentials_without_secrets(scheme: Any, expected: dict[str, str], header: str) -> None:
    found = security({"s": []}, s=scheme)
    assert (lines(found), found.header) == (expected, header)
    assert found.off == (scheme["type"] == "mutualTLS")


def test_oauth_2_has_client_credentials() -> None:
    flow = {"tokenUrl": "/token"}
    found = security(
        {"s": ["a", "b"]}, place="https://sso.example/x.json", s={"type": "oauth2", "flows": {"clientCredentials": flow}}
    )
    assert lines(found) == {
        "kind": "oauth2",
        "url": "https://sso.example/token",
        "clientId": "${DGT_CLIENT}",
        "clientSecret": "${DGT_SECRET}",
        "scope": "a b",
    }


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "openIdConnect", "openIdConnectUrl": "https://sso.example"},
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "gopher://x"}}},
        {"type": "oauth2"},
    ],
)
def test_where_tokens_are_asked_for_is_said_to_be_a_guess(scheme: Any) -> None:
    (_, url, why) = security({"s": []}, s=scheme).credentials[1]
    assert url == "https://replace.example/token"
    assert (why or "").startswith("guess")


def test_a_key_elsewhere_is_a_variable_there() -> None:
    assert security({"s": []}, s={"type": "apiKey", "in": "query", "name": "k"}).query["k"][0] == "${DGT_KEY}"
    assert security({"s": []}, s={"type": "apiKey", "in": "cookie", "name": "k"}).headers["Cookie"][0] == "k=${DGT_KEY}"


def test_ways_and_what_can_not_be_shown_are_told() -> None:
    bearer, digest = {"type": "http", "scheme": "bearer"}, {"type": "http", "scheme": "digest"}
    found = security({"a": [], "b": [], "c": []}, {}, {"b": []}, a=bearer, b=bearer, c=digest)
    assert lines(found)["kind"] == "bearer"
    said = "\n".join(found.remarks)
    assert "nothing has to be shown" in said
    assert "the first of several ways to show who asks; the others are b" in said
    assert "b has to be shown as well" in said
    assert "c has to be shown as well" in said
    assert "no connector can" in "\n".join(security({"c": []}, c=digest).remarks)
    assert security() == Security()
    assert security({"s": []}, s={"type": "apiKey", "in": "header", "name": "a b"}).credentials == []
