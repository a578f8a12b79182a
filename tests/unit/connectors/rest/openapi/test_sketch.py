"""What is written of an OpenAPI description passes the check, whatever the description says."""

from __future__ import annotations

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
        assert f"{key} =" not in text


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
    assert connector["url"] == "https://replace.example/expedientes/{subject}"
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
