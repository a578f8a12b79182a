"""What is written of an OpenAPI description passes the check, whatever the description says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esclusa.connectors.rest.openapi.description import OpenApi
from esclusa.connectors.rest.openapi.sketch import sketched
from esclusa.connectors.rest.settings import RestSettings
from esclusa.connectors.transform import compiled
from support.descriptions import HERE, OPENAPI, checked, contents, uncommented

SAMPLES = [(file, operation) for file, operations in OPENAPI.items() for operation in operations]


def written(file: str, operation: str) -> str:
    description = OpenApi((HERE / file).read_bytes(), file)
    return sketched(description, description.chosen(operation), "body")


@pytest.mark.parametrize(("file", "operation"), SAMPLES)
def test_what_is_written_passes_the_check_as_it_stands(file: str, operation: str, tmp_path: Path) -> None:
    text = written(file, operation)
    configuration = checked(text, tmp_path)
    assert isinstance(configuration.connectors["body"], RestSettings)
    assert list(configuration.queries) == ["body"]
    contents(text)


@pytest.mark.parametrize(("file", "operation"), SAMPLES)
@pytest.mark.parametrize("key", ["items", "transform", "statuses", "idempotent", "paging"])
def test_what_is_in_comments_passes_it_too(file: str, operation: str, key: str, tmp_path: Path) -> None:
    text = written(file, operation)
    if re.search(rf"^# (\[[\w.-]+\.{key}\]|{key} = )", text, re.MULTILINE):
        checked(uncommented(text, key), tmp_path)
    else:
        assert f"# {key} =" not in text


def test_a_list_is_asked_with_all_its_parameters() -> None:
    connector, credentials, query = contents(written("petstore.json", "listPets"))
    assert connector["url"] == "https://eu.petstore.example/v1/pets"
    assert connector["query"] == {"owner": "{subject}", "limit": "{params.limit}", "tags": "{params.tags}"}
    assert connector["headers"] == {"Accept-Language": "es"}
    assert connector["retry"] == {"attempts": 2}
    assert credentials == {"kind": "apikey", "header": "X-Pet-Key", "value": "${BODY_KEY}"}
    assert query["params"]["limit"] == {"type": "number", "title": "How many items to return"}


def test_a_search_by_post_has_its_body_and_is_not_repeated() -> None:
    connector, _, _ = contents(written("expedientes.yaml", "búsqueda de multas"))
    assert connector["method"] == "POST"
    assert not {"retry", "idempotent"} & connector.keys()
    assert connector["accepts"] == "xml"
    assert connector["query"] == {"api_key": "${BODY_KEY}"}
    assert connector["body"] == {
        "titular": {"documento": "{subject}", "país": "{params.pais}"},
        "tipo": "multa $$1 {{todas}}",
        "puntos": "{params.puntos}",
        "pagina": 1,
        "detalle": False,
        "años": ["{params.anos}"],
    }


def test_a_person_is_asked_for_in_the_path() -> None:
    text = written("expedientes.yaml", "expedientes")
    connector, credentials, query = contents(text)
    assert connector["url"] == "https://replace.example/api/expedientes/{subject}"
    assert credentials["scope"] == "expedientes.read multas.read"
    assert query["subject"] == "nif"
    assert "Los expedientes de una persona, [connectors.injected]" in text
    items = contents(uncommented(text, "items"))[0]["items"]
    assert items == {
        "from": "expedientes",
        "label": "titulo",
        "value": '"número"',
        "date": "fechas.inicio",
        "amount": "importe",
        "link": "url",
    }


def test_what_is_a_guess_says_so() -> None:
    text = written("expedientes.yaml", "expedientes")
    for line in text[: text.index("[credentials")].splitlines():
        if line.startswith(("url", "timeout", "retry", "# transform", "# statuses", "subject", "# from", "# label")):
            assert "# guess" in line


def described(operation: dict[str, Any], *, method: str = "get", **more: Any) -> OpenApi:
    """A description of one operation, `op`, at `/a`."""
    whole = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://a.example"}],
        "paths": {"/a": {method: {"operationId": "op"} | operation}},
    }
    return OpenApi(json.dumps(whole | more).encode(), "a.json")


def drawn(description: OpenApi) -> str:
    return sketched(description, description.chosen("op"), "body")


def answers(schema: dict[str, Any]) -> dict[str, Any]:
    return {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}


ROW = {"type": "object", "properties": {"trade-name": {"type": "string"}, "año": {"type": "integer"}, "id": {"type": "string"}}}
LISTED = {"type": "object", "properties": {"data": {"type": "array", "items": ROW}, "links": {"type": "string"}}}


def test_all_pages_are_read_where_it_is_known_how_and_what_shapes_them_sees_the_list(tmp_path: Path) -> None:
    text = drawn(described({"parameters": [{"name": "page", "in": "query"}]} | answers(LISTED)))
    (connector, *_) = contents(text)
    assert connector["paging"] == {"parameter": "page", "first": 1, "items": "data"}
    shown = checked(uncommented(text, "transform"), tmp_path).connectors["body"]
    assert shown.transform == '[].{"trade-name": "trade-name", "año": "año", id: id}'
    transform = compiled(shown.transform)
    assert (
        transform(json.dumps([{"trade-name": "x", "año": 1, "id": "2"}]).encode())
        == '[{"trade-name":"x","año":1,"id":"2"}]'.encode()
    )
    items = contents(uncommented(text, "items"))[0]["items"]
    assert items["from"] == "@"


def test_where_the_list_is_not_known_paging_is_in_a_comment() -> None:
    text = drawn(described({"parameters": [{"name": "page", "in": "query"}]}))
    assert 'and add where the list is: items = "..."' in text
    assert "paging" not in contents(text)[0]


def test_a_form_has_texts_alone(tmp_path: Path) -> None:
    fields = {
        "nif": {"type": "string"},
        "all": {"type": "boolean", "default": False},
        "kinds": {"type": "array", "items": {"type": "string"}},
        "most": {"type": "integer", "default": 10},
        "open": {"type": "boolean", "const": True},
    }
    body = {
        "content": {
            "application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": fields, "required": ["open"]}}
        }
    }
    text = drawn(described({"requestBody": body}, method="post"))
    checked(text, tmp_path)
    form = contents(text)[0]["form"]
    assert form["nif"] == "{subject}"
    assert form["open"] == "true"
    assert {type(value) for value in form.values()} == {str}


def test_a_body_of_parts_is_not_passed_off_as_a_form() -> None:
    text = drawn(
        described({"requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}}, method="post")
    )
    assert "it wants a body in multipart/form-data, which no connector of REST sends" in text


def test_what_is_inside_of_what_may_be_left_out_may_be_left_out_too() -> None:
    group = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}
    schema = {"type": "object", "properties": {"nif": {"type": "string"}, "filter": group}}
    body = {"content": {"application/json": {"schema": schema}}}
    query = contents(drawn(described({"requestBody": body}, method="post")))[-1]
    assert "required" not in query["params"]["kind"]


def test_a_key_in_the_header_of_another_is_left_out(tmp_path: Path) -> None:
    schemes = {
        "k": {"type": "apiKey", "in": "header", "name": "Cookie"},
        "c": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    text = drawn(described({}, security=[{"k": [], "c": []}], components={"securitySchemes": schemes}))
    checked(text, tmp_path)
    assert "left out, because it can't be sent: the header Cookie" in text


def test_a_host_that_is_not_known_is_to_be_written_and_its_path_is_there() -> None:
    text = drawn(described({}, servers=[{"url": "/api/v3"}]))
    assert contents(text)[0]["url"].startswith("https://replace.example/api/v3/a")
    assert "write here on which host the service is" in text


def test_a_service_without_a_name_is_told_once() -> None:
    description = described({"operationId": ""})
    assert sketched(description, description.chosen("GET /a"), "body").startswith("# A service: GET /a\n")


@pytest.mark.parametrize("operation", ["op", "DELETE /a"])
def test_a_method_that_is_not_asked_by_is_told(operation: str) -> None:
    whole = {"openapi": "3.1.0", "paths": {"/a": {"delete": {"operationId": "op"}, "get": {"operationId": "other"}}}}
    with pytest.raises(ValueError, match="is a DELETE: a connector asks by GET, POST, PUT or HEAD"):
        OpenApi(json.dumps(whole).encode(), "a.json").chosen(operation)


HOSTILE = st.sampled_from(
    [
        *(
            '"',
            "\\",
            "\n[connectors.other]\nurl = 'x'",
            "\r",
            "\x00",
            "${HOME}",
            "$$",
            "{subject}",
            "{",
            "}",
            "{params.x}",
            "}{",
            "#",
        ),
        *(
            "/../",
            "é",
            "ключ",
            "\u2028",
            "\u202e",
            " ",
            "a" * 300,
            "http://a:b@c/",
            "Host",
            "X-A",
            "date",
            "nif",
            "0",
            "-",
            "%zz",
            "a.b",
        ),
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCHEMAS: Any = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", "number", "boolean"]) | HOSTILE,
            "default": HOSTILE
            | st.booleans()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.integers(-(2**70), 2**60),
            "enum": st.lists(HOSTILE, max_size=2),
            "format": st.sampled_from(["date", "uri", "date-time"]),
            "description": HOSTILE,
        },
    ),
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(HOSTILE, inner, max_size=3)})
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner})
    ),
    max_leaves=5,
)
CONTENT = st.dictionaries(
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "application/xml"]) | HOSTILE,
    st.fixed_dictionaries({"schema": SCHEMAS}),
    max_size=2,
)
SCHEME = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["apiKey", "http", "oauth2", "openIdConnect", "mutualTLS"]) | HOSTILE,
        "in": st.sampled_from(["header", "query", "cookie"]),
        "scheme": st.sampled_from(["basic", "bearer"]) | HOSTILE,
        "name": HOSTILE,
        "flows": st.fixed_dictionaries(
            {"clientCredentials": st.fixed_dictionaries({"tokenUrl": HOSTILE | st.just("https://t/t")})}
        ),
    }
)
PARAMETER = st.fixed_dictionaries(
    {"name": HOSTILE, "in": st.sampled_from(["path", "query", "header", "cookie"]), "schema": SCHEMAS},
    optional={"required": st.booleans(), "description": HOSTILE},
)
OPERATION = st.fixed_dictionaries(
    {
        "operationId": HOSTILE,
        "summary": HOSTILE,
        "parameters": st.lists(PARAMETER, max_size=4),
        "security": st.lists(st.dictionaries(st.sampled_from("ab"), st.lists(HOSTILE, max_size=2), max_size=2), max_size=2),
        "responses": st.dictionaries(
            st.sampled_from(["200", "404", "default"]), st.fixed_dictionaries({"content": CONTENT}), max_size=2
        ),
    },
    optional={"requestBody": st.fixed_dictionaries({"content": CONTENT})},
)
DESCRIPTION = st.fixed_dictionaries(
    {
        "openapi": st.just("3.1.0"),
        "info": st.fixed_dictionaries({"title": HOSTILE, "version": HOSTILE}),
        "servers": st.lists(
            st.fixed_dictionaries({"url": HOSTILE | HOSTILE.map(lambda text: f"https://a.example/{text}")}), max_size=2
        ),
        "paths": st.dictionaries(
            st.lists(HOSTILE | st.just("{nif}"), max_size=3).map(lambda parts: "/" + "/".join(parts)),
            st.dictionaries(st.sampled_from(["get", "post", "put", "head"]), OPERATION, min_size=1, max_size=1),
            min_size=1,
            max_size=1,
        ),
        "components": st.fixed_dictionaries({"securitySchemes": st.fixed_dictionaries({"a": SCHEME, "b": SCHEME})}),
    }
)


@settings(deadline=None)
@given(DESCRIPTION, HOSTILE)
def test_no_description_writes_what_does_not_pass(whole: Any, place: str) -> None:
    description = OpenApi(msgspec.json.encode(whole), place)
    text = sketched(description, description.operations[0], "body")
    contents(text)
    with TemporaryDirectory() as folder:
        checked(text, Path(folder))
