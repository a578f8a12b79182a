"""Where an operation is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esclusa.connectors.rest.openapi.address import path_names, servers_of, url_of
from esclusa.connectors.rest.openapi.description import OpenApi
from esclusa.connectors.sketch.part import Part
from esclusa.connectors.sketch.question import Asked


def servers(place: str, *urls: Any, **above: Any) -> list[str]:
    whole = {"openapi": "3.0.0", "servers": list(urls), "paths": {"/a": {"get": {"x": 1, **above}}}}
    description = OpenApi(msgspec.json.encode(whole), place)
    return servers_of(description, description.operations[0])


FILE, REMOTE = "x.json", "https://api.example/docs/openapi.json"


def test_the_nearest_servers_are_taken() -> None:
    assert servers(FILE, {"url": "https://a.example"}, servers=[{"url": "https://b.example/"}]) == ["https://b.example/"]


def test_variables_have_their_defaults() -> None:
    variables = {"port": {"default": "8443"}, "base": {"default": "v2"}}
    assert servers(FILE, {"url": "https://a.example:{port}/{base}", "variables": variables}) == ["https://a.example:8443/v2"]


def test_what_is_relative_is_beside_the_description() -> None:
    assert servers(REMOTE, {"url": "/v1"}) == ["https://api.example/v1"]
    assert servers(REMOTE, {"url": "../v1"}) == ["https://api.example/v1"]
    assert servers(REMOTE) == ["https://api.example/"]
    assert servers(FILE) == []
    assert servers(FILE, {"url": "/v1"}) == ["https://replace.example/v1"], "the path is known, if not the host"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "https://u:p@a.example",
        "https://{x}",
        "http://[::1",
        "https://a.example:99999",
        "https://a b/",
        "file:///etc/passwd",
        7,
    ],
)
def test_what_can_not_be_called_is_no_server(url: Any) -> None:
    assert servers(FILE, {"url": url}) == []


def test_the_path_has_placeholders_and_nothing_else_that_means_something() -> None:
    whole = {"openapi": "3.0.0", "paths": {"/a b?$x{nif}#/{year}": {"get": {"x": 1}}}}
    operation = OpenApi(msgspec.json.encode(whole), "x").operations[0]
    assert path_names(operation) == ["nif", "year"]
    parts = {name: Part(name, "text", required=True) for name in ("nif", "year")}
    url, said = url_of("https://h/$v/", operation, parts, Asked(list(parts.values())))
    assert url == "https://h/$$v/a%20b%3F$$x{subject}%23/{params.year}"
    assert [each.partition(":")[0] for each in said] == ["nif", "year"]
