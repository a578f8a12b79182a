"""The OpenAPI document says exactly what is served (P3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from esclusa.edges.http.openapi import EVERYWHERE, Operation, Parameter, Reply, document
from esclusa.edges.http.problems import PROBLEMS
from esclusa.kernel import errors


class SearchBody(msgspec.Struct, rename="camel"):
    """A question."""

    how_many: int


class Told(msgspec.Struct):
    """An answer."""

    inner: list[SearchBody]


OPERATION = Operation(
    id="try",
    method="POST",
    path="/things/{id}",
    tag="things",
    summary="Try it",
    description="At length",
    parameters=[
        Parameter("id", "path", "Which", {"type": "string"}),
        Parameter("data", "query", "Whether", {"type": "boolean"}),
    ],
    body=SearchBody,
    example={"howMany": 1},
    replies={
        202: Reply("Taken", Told, headers=["Location"], links={"look": {"id": "$response.body#/id"}}),
        204: Reply("Nothing"),
        206: Reply("Some", {"type": "string"}, "text/plain"),
    },
    refusals=[errors.UnknownQuery, errors.InvalidParams, errors.Unavailable],
)
OPEN = Operation(
    id="look", method="GET", path="/things/{id}", tag="things", summary="Look", replies={200: Reply("It")}, open=True
)


def made(*operations: Operation) -> Any:
    return msgspec.json.decode(document(operations, version="1.2.3"))


def test_an_operation() -> None:
    said = made(OPERATION)["paths"]["/things/{id}"]["post"]
    assert (said["operationId"], said["summary"], said["description"]) == ("try", "Try it", "At length")
    assert [(each["name"], each["in"], each.get("required", False)) for each in said["parameters"]] == [
        ("id", "path", True),
        ("data", "query", False),
    ]
    body = said["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"] == {
        "schema": {"$ref": "#/components/schemas/SearchBody"},
        "example": {"howMany": 1},
    }


def test_every_answer_is_described_with_its_headers() -> None:
    replies = made(OPERATION)["paths"]["/things/{id}"]["post"]["responses"]
    assert replies["202"]["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Told"}}}
    assert set(replies["202"]["headers"]) == {"traceresponse", "Location"}
    assert replies["202"]["links"] == {"look": {"operationId": "look", "parameters": {"id": "$response.body#/id"}}}
    assert "content" not in replies["204"]
    assert replies["206"]["content"] == {"text/plain": {"schema": {"type": "string"}}}
    assert all("traceresponse" in reply["headers"] for reply in replies.values())


def test_every_error_is_described_as_a_problem_of_its_types() -> None:
    replies = made(OPERATION)["paths"]["/things/{id}"]["post"]["responses"]
    expected = {str(PROBLEMS[refused.name].status) for refused in EVERYWHERE} | {"401", "422", "503"}
    assert {status for status in replies if status >= "400"} == expected
    assert replies["422"]["description"].startswith("`unknown-query`")
    assert "`invalid-params`" in replies["422"]["description"]
    assert list(replies["422"]["content"]) == ["application/problem+json"]
    assert "Retry-After" in replies["503"]["headers"]
    assert "WWW-Authenticate" in replies["401"]["headers"]


def test_what_needs_no_key_says_so() -> None:
    paths = made(OPERATION, OPEN)["paths"]["/things/{id}"]
    assert paths["post"]["security"] == [{"key": []}]
    assert paths["get"]["security"] == []
    assert "401" not in paths["get"]["responses"]


def test_schemas_are_those_of_the_structs_and_all_are_there() -> None:
    said = made(OPERATION, OPEN)
    schemas = said["components"]["schemas"]
    assert schemas["SearchBody"]["required"] == ["howMany"]
    assert {"SearchBody", "Told", "ProblemBody", "FaultBody"} <= schemas.keys()
    for reference in references(said):
        target = said
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def references(said: Any) -> Iterator[str]:
    if isinstance(said, dict):
        if "$ref" in said:
            yield said["$ref"]
        for value in said.values():
            yield from references(value)
    elif isinstance(said, list):
        for value in said:
            yield from references(value)


def test_it_says_which_version_is_served() -> None:
    said = made(OPEN)
    assert re.fullmatch(r"3\.1\.\d", said["openapi"])
    assert said["info"]["version"] == "1.2.3"
