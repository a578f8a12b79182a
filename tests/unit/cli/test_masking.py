"""Secrets are shown to nobody, in whatever form they turn up."""

from __future__ import annotations

import html
import json

import msgspec
import pytest

from esclusa.cli.masking import Masking, shown_secrets

SECRET = "a&b c/ñ"
QUOTED = 'it\'s "5" <\\>'


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        "a%26b%20c%2F%C3%B1",
        "a%26b+c%2F%C3%B1",
        "a&amp;b c/ñ",
        "YSZiIGMvw7E=",
    ],
)
def test_a_secret_is_masked_in_every_form(shown: str) -> None:
    assert Masking([SECRET]).text(f"<p>{shown}</p>{shown}") == "<p>***</p>***"


def test_a_long_secret_is_masked_whole_where_a_shorter_one_is_in_it() -> None:
    assert Masking(["abc", "abcdef"]).text("abcdef abc") == "*** ***"


def test_what_is_too_short_to_be_a_secret_spoils_no_text() -> None:
    assert Masking(["a", ""]).text("banana") == "banana"


@pytest.mark.parametrize(
    "shown",
    [
        QUOTED,
        json.dumps(QUOTED),
        repr(QUOTED),
        html.escape(QUOTED),
        html.escape(QUOTED, quote=False),
        html.escape(QUOTED).replace("&#x27;", "&apos;"),
        json.dumps({"said": {"again": QUOTED}}),
    ],
)
def test_quoted_it_is_masked_too(shown: str) -> None:
    said = Masking([QUOTED]).text(shown)
    assert "***" in said
    assert "5" not in said


def test_json_that_php_writes_is_masked_too() -> None:
    assert Masking(["ñ/a"]).text(r'"\u00f1\/a" "ñ\/a"') == '"***" "***"'


def test_json_stays_json_when_a_secret_comes_back_as_a_number() -> None:
    masked = Masking(["12345", "s3creto"]).json(b'{"pin":12345,"s3creto":[true,"a s3creto b",3.5,null],"1":1.0e2}')
    assert msgspec.json.decode(masked) == {"pin": "***", "***": [True, "a *** b", 3.5, None], "1": 100.0}


def test_json_without_secrets_is_as_it_was() -> None:
    assert bytes(Masking(["12345"]).json(b'{"n": 1.10}')) == b'{"n": 1.10}'


def test_what_requests_show_in_headers_for_secrets_is_one() -> None:
    heads = ["GET http://x/\nauthorization: Bearer eyJhbGciOi\naccept: */*", "GET http://x/\nX-Api-Key: 77-88"]
    assert Masking(shown_secrets(heads)).text("you are eyJhbGciOi with 77-88, */*") == "you are *** with ***, */*"


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Set-Cookie", "X-API-Key", "X-Auth-Token", "apikey"])
def test_headers_that_are_there_for_secrets_are_masked_whatever_they_have(name: str) -> None:
    head = f"GET http://x/key: y\n{name}: what nobody told us\naccept: */*"
    assert Masking([]).head(head) == f"GET http://x/key: y\n{name}: ***\naccept: */*"


def test_parameters_that_are_there_for_secrets_are_masked_too() -> None:
    assert (
        Masking([]).head("GET http://x/token=1?api_key=abc&page=2&Token=d")
        == "GET http://x/token=1?api_key=***&page=2&Token=***"
    )
