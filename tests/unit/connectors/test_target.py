from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.backend import Question
from esclusa.connectors.target import Target

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "q", "12345678Z", {"office": "2/8", "period.from": "2026-01-01"})


def fill(url: str, **query: str) -> str:
    return Target(url, query).fill(QUESTION)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://dgt.example", "/"),
        ("http://dgt.example/a/b", "/a/b"),
        ("http://dgt.example/people/{subject}/files", "/people/12345678Z/files"),
        ("http://dgt.example/offices/{params.office}", "/offices/2%2F8"),
        ("http://dgt.example/?nif={subject}&x=1", "/?nif=12345678Z&x=1"),
        ("http://dgt.example?nif={subject}", "/?nif=12345678Z"),
        ("http://dgt.example/con sulta/año?q=ñ ñ", "/con%20sulta/a%C3%B1o?q=%C3%B1%20%C3%B1"),
        ("http://dgt.example/already%20encoded", "/already%20encoded"),
        ("http://dgt.example/{{x}}", "/%7Bx%7D"),
    ],
)
def test_path_and_query_are_filled_and_percent_encoded(url: str, target: str) -> None:
    assert fill(url) == target


def test_parameters_are_added_to_those_of_the_url() -> None:
    assert fill("http://dgt.example/?a=1", **{"des de": "{params.period.from}", "z": "ñ&="}) == (
        "/?a=1&des%20de=2026-01-01&z=%C3%B1%26%3D"
    )


def test_a_parameter_whose_placeholder_has_no_value_is_left_out() -> None:
    assert fill("http://dgt.example/x?to={params.period.to}&a=1", since="{params.period.from}", to="{params.period.to}") == (
        "/x?a=1&since=2026-01-01"
    )
    assert fill("http://dgt.example/x?to={params.period.to}") == "/x"


def test_a_path_whose_placeholder_has_no_value_can_not_be_asked() -> None:
    with pytest.raises(ValueError, match="in the path is left out"):
        fill("http://dgt.example/{params.period.to}")


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_does_not_climb_out_of_its_path(value: str) -> None:
    target = Target("http://dgt.example/people/{subject}/files", {})
    with pytest.raises(ValueError, match="another path"):
        target.fill(Question("r", "q", value, {}))


def test_nothing_is_no_value_in_a_path() -> None:
    with pytest.raises(ValueError, match="in the path is empty"):
        Target("http://dgt.example/people/{subject}", {}).fill(Question("r", "q", "", {}))


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])).filter(lambda value: value.strip(".")))
def test_no_value_changes_the_shape_of_the_url(value: str) -> None:
    target = Target("http://dgt.example/a/{subject}/b?x={subject}&y=1", {"z": "{subject}"}).fill(Question("r", "q", value, {}))
    path, _, query = target.partition("?")
    assert path.count("/") == 3
    assert (target.count("?"), query.count("&"), query.count("="), target.count("#")) == (1, 2, 3, 0)
    assert target.isascii()
    assert target.isprintable()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://{subject}.example/", "where the host is"),
        ("{subject}://dgt.example/", "absolute http or https URL"),
        ("http://dgt.example/#top", "no fragment"),
        ("http://dgt.example/a/../b", r"without \. and \.\."),
        ("http://dgt.example/{person}", r"\{person\}: a placeholder is one of"),
        ("http://dgt.example/?x={person}", r"\{person\}: a placeholder is one of"),
        ("http://dgt.example/{subject", "no partner"),
        ("ftp://dgt.example/", "absolute http or https URL"),
        ("/people", "absolute http or https URL"),
        ("http://user:secret@dgt.example/", "credentials"),
    ],
)
def test_what_can_not_be_called_is_an_error_in_words(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Target(url, {})


def test_it_knows_where_the_back_end_is() -> None:
    assert str(Target("https://DGT.example:8443/x", {}).origin) == "https://dgt.example:8443"
