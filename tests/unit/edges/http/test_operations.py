"""Every operation is described well enough to be used, and is served as described."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from esclusa.edges.http import operations
from esclusa.edges.http.openapi import Operation
from support.api import faked

ALL = [value for value in vars(operations).values() if isinstance(value, Operation)]
DESCRIBED = [each for each in ALL if not each.signpost]


@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.id)
def test_it_says_what_it_needs(operation: Operation) -> None:
    assert operation.summary
    named = re.findall(r"{(\w+)}", operation.path)
    assert named == [parameter.name for parameter in operation.parameters if parameter.place == "path"]
    if operation.body is not None:
        msgspec.convert(operation.example, operation.body)


def test_no_two_share_a_name() -> None:
    assert len({each.id for each in ALL}) == len(ALL)


async def test_the_document_has_them_all_and_nothing_else() -> None:
    async with faked() as (_, edge):
        paths: dict[str, Any] = (await edge.client.get("/openapi.json")).json()["paths"]
        described = {(path, method) for path, item in paths.items() for method in item}
        assert described == {(each.path, each.method.lower()) for each in DESCRIBED}


@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.id)
async def test_it_is_served(operation: Operation) -> None:
    """With no key: by a 401, or openly; a method that is not served would be 405, a path 404."""
    async with faked() as (_, edge):
        names = {"id": "01a3185c-50c3-73d0-b29a-252bd5b8870e", "file": "docs.js", "name": "not-found"}
        target = re.sub(r"{(\w+)}", lambda match: names[match[1]], operation.path)
        answer = await edge.client.request(operation.method, target, headers={"authorization": "Bearer nobody"})
        assert answer.status_code == (min(operation.replies) if operation.open else 401)


@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.id)
async def test_the_api_takes_no_parameter_that_is_not_described(operation: Operation) -> None:
    """P3: what would have no effect is refused. Probes and pages don't mind: monitors and browsers add things."""
    async with faked() as (_, edge):
        names = {"id": "01a3185c-50c3-73d0-b29a-252bd5b8870e", "file": "docs.js", "name": "not-found"}
        target = re.sub(r"{(\w+)}", lambda match: names[match[1]], operation.path)
        answer = await edge.client.request(operation.method, f"{target}?wait=5")
        if operation.path.startswith("/api/v1/"):
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")
            (error,) = answer.json()["errors"]
            assert "'wait'" in error["message"]
        else:
            assert answer.status_code == min(operation.replies)
