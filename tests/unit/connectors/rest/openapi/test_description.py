"""An OpenAPI description: which ones are taken, what they offer, where their references lead."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esclusa.connectors.rest.openapi.description import OpenApi
from support.descriptions import HERE, OPENAPI


def described(**more: Any) -> OpenApi:
    whole = {"openapi": "3.1.0", "paths": {"/a": {"get": {}}}, **more}
    return OpenApi(msgspec.json.encode(whole), "x.json")


@pytest.mark.parametrize(("name", "operations"), OPENAPI.items())
def test_what_can_be_asked_is_offered(name: str, operations: list[str]) -> None:
    description = OpenApi((HERE / name).read_bytes(), name)
    assert [each.offer.operation for each in description.operations] == operations


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b'{"swagger": "2.0"}', "x is Swagger 2.0, which is older than OpenAPI: turn it into OpenAPI 3 first"),
        (b'{"openapi": "4.0.0"}', "x is OpenAPI '4.0.0', which is not known here"),
        (b"{}", "x is no OpenAPI description"),
        (b"[]", "x is no OpenAPI description"),
        (b'{"openapi": "3.0.0", "paths": {"/a": {"delete": {"x": 1}}}}', "x describes no operation that a connector can ask"),
    ],
)
def test_what_can_not_be_used_is_told(document: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OpenApi(document, "x")


def test_an_operation_is_chosen_by_its_name_or_its_path() -> None:
    paths = {"/a": {"get": {"operationId": "a"}}, "/b": {"get": {"operationId": "a"}, "post": {"x": 1}}}
    description = described(paths=paths)
    assert [each.offer.operation for each in description.operations] == ["a", "GET /b", "POST /b"]
    assert description.chosen("GET /a").path == "/a"
    with pytest.raises(ValueError, match="there is no operation c: choose a, GET /b, POST /b"):
        description.chosen("c")


def test_references_lead_inside_the_document_and_have_an_end() -> None:
    description = described(
        paths={"/a": {"get": {"x": 1}}},
        components={
            "a/b~c": {"x": 1},
            "loop": {"$ref": "#/components/loop"},
            "list": [{"y": 2}],
            "to": {"$ref": "#/components/list/0"},
        },
    )
    assert description.at({"$ref": "#/components/a~1b~0c"}) == {"x": 1}
    assert description.at({"$ref": "#/components/to"}) == {"y": 2}
    for reference in (
        "#/components/loop",
        "#/nothing/at/all",
        "other.json#/x",
        "#",
        "#/components/list/99",
        "#/components/list/²",
    ):
        assert description.at({"$ref": reference}) == {}
    assert description.at(None) == {}


def test_its_own_parameter_is_taken_in_place_of_the_paths() -> None:
    shared, own = {"name": "a", "in": "query"}, {"name": "a", "in": "query", "required": True}
    description = described(
        paths={"/a": {"parameters": [shared, {"name": "a", "in": "header"}, 7], "get": {"parameters": [own]}}}
    )
    found = description.parameters(description.operations[0])
    assert found == [own, {"name": "a", "in": "header"}]
