"""The JSON Schema of the file agrees with the check, and tells an editor what each key is for."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest

from esclusa.config.config import initial, schema

Mistakes = Callable[..., list[str]]


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema())


def test_it_is_a_schema_and_plain_json() -> None:
    jsonschema_rs.meta.validate(schema())
    assert json.loads(json.dumps(schema())) == schema()


def test_the_first_configuration_and_that_of_the_demo_fit(validator: jsonschema_rs.Draft202012Validator) -> None:
    demo = resources.files("esclusa.demo").joinpath("esclusa.toml").read_text(encoding="utf-8")
    for text in (initial(), demo):
        validator.validate(tomllib.loads(text))


SOUND = [
    "[hub]\nsettle = '1m30s'",
    "[hub]\nsettle = '${SETTLE:-1s}'",
    "[log]\nlevel = '${LEVEL:-info}'",
    "[connectors.x]\nurl = 'http://x'\nenvironments.pro = { timeout = '3s' }",
    "[credentials.x]\nkind = 'basic'\nusername = 'a'\npassword = 'b'",
]
WRONG = [
    "[conectors.x]",
    "[connectors.X]\nurl = 'http://x'",
    "[connectors.x]",
    "[connectors.x]\nurl = 'http://x'\nenvironments.pro = { timeot = '3s' }",
    "[connectors.x]\nurl = 'http://x'\nconcurrency = 0",
    "[connectors.x]\nurl = 'http://x'\nbreaker.rate = 2",
    "[hub]\nsettle = 3",
    "[hub]\nsettle = '3 s'",
    "[log]\nlevel = 'warning'",
    "[credentials.x]\nusername = 'a'\npassword = 'b'",
]


@pytest.mark.parametrize("text", SOUND)
def test_what_is_sound_fits(validator: jsonschema_rs.Draft202012Validator, mistakes: Mistakes, text: str) -> None:
    assert mistakes(text, environ={}) == []
    validator.validate(tomllib.loads(text))


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_does_not_fit(validator: jsonschema_rs.Draft202012Validator, mistakes: Mistakes, text: str) -> None:
    assert mistakes(text, environ={}) != []
    assert not validator.is_valid(tomllib.loads(text))


def test_every_key_says_what_it_is_for_or_has_a_name_that_does() -> None:
    described = schema()["$defs"]["RestSettings"]["properties"]
    assert described["timeout"] == {
        "type": "string",
        "pattern": described["timeout"]["pattern"],
        "description": "The longest that one attempt may take.",
        "default": "10s",
    }
    assert described["breaker"]["description"]
    assert schema()["$defs"]["HubSettings"]["properties"]["maxOpen"]["default"] == 20_000


def test_every_reference_leads_somewhere() -> None:
    whole = schema()
    for reference in _references(whole):
        assert reference.removeprefix("#/$defs/") in whole["$defs"]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for below in value.values():
            yield from _references(below)
    elif isinstance(value, list):
        for below in value:
            yield from _references(below)
