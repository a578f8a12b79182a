"""Secrets are shown to nobody, in whatever form they turn up."""

from __future__ import annotations

import pytest

from esclusa.cli.masking import Masking

SECRET = "a&b c/ñ"


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


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Set-Cookie", "X-API-Key", "X-Auth-Token", "apikey"])
def test_headers_that_are_there_for_secrets_are_masked_whatever_they_have(name: str) -> None:
    head = f"GET http://x/key: y\n{name}: what nobody told us\naccept: */*"
    assert Masking([]).head(head) == f"GET http://x/key: y\n{name}: ***\naccept: */*"


def test_parameters_that_are_there_for_secrets_are_masked_too() -> None:
    assert (
        Masking([]).head("GET http://x/token=1?api_key=abc&page=2&Token=d")
        == "GET http://x/token=1?api_key=***&page=2&Token=***"
    )
