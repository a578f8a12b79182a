"""Bodies, and the easiest of their forms."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esclusa.connectors.rest.openapi.body import answered, asked, form_of, leaves
from esclusa.connectors.rest.openapi.description import OpenApi
from esclusa.connectors.sketch.part import Part


def described(method: str, **node: Any) -> OpenApi:
    return OpenApi(msgspec.json.encode({"openapi": "3.0.0", "paths": {"/a": {method: {"x": 1, **node}}}}), "x")


@pytest.mark.parametrize(
    ("media_type", "form"),
    [
        ("application/json; charset=utf-8", "json"),
        ("application/problem+JSON", "json"),
        ("*/*", "json"),
        ("text/xml", "xml"),
        ("application/soap+xml", "xml"),
        ("text/html", "text"),
        ("application/x-www-form-urlencoded", "form"),
        ("multipart/form-data", "multipart/form-data"),
        ("application/pdf", "application/pdf"),
    ],
)
def test_media_types_have_forms(media_type: str, form: str) -> None:
    assert form_of(media_type) == form


def test_the_easiest_of_several_forms_is_taken() -> None:
    content = {"application/xml": {}, "application/json": {"schema": {"type": "string"}}, "application/pdf": {}}
    description = described("post", requestBody={"content": content})
    body = asked(description, description.operations[0])
    assert body is not None
    assert (body.form, body.part) == ("json", Part("", "text"))


def test_a_get_has_no_body() -> None:
    description = described("get", requestBody={"content": {"application/json": {}}})
    assert asked(description, description.operations[0]) is None


def test_a_good_answer_is_looked_at() -> None:
    text: Any = {"content": {"text/plain": {}}}
    description = described(
        "get", responses={"404": text, "default": {"content": {"application/xml": {}}}, "204": {}, "201": text}
    )
    body = answered(description, description.operations[0])
    assert body is not None
    assert body.form == "text"
    bare = described("get", responses={"404": text})
    assert answered(bare, bare.operations[0]) is None


def test_leaves_are_all_that_have_a_value() -> None:
    inner = Part("b", "text")
    assert list(leaves(Part("", "table", parts=(Part("a", "table", parts=(inner,)),)))) == [inner]
