from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.backend import Question
from esclusa.connectors.template import (
    Escape,
    JsonTemplate,
    Template,
    escape_of,
    header,
    header_template,
    json_string,
    percent,
    placeholders,
    segment,
    verbatim,
    xml,
)

REQUEST = "01890a5d-ac96-774b-bcce-b302099a8057"
QUESTION = Question(REQUEST, "expedientes", "12345678Z", {"office": "28", "period.from": "2026-01-01", "empty": ""})


def fill(text: str, escape: Escape = verbatim, absent: str | None = None) -> str | None:
    return Template(text, escape, absent=absent).fill(QUESTION)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("nothing to fill", "nothing to fill"),
        ("", ""),
        ("{subject}", "12345678Z"),
        ("{request}", REQUEST),
        ("a {params.office} b {subject} c", "a 28 b 12345678Z c"),
        ("{params.period.from}", "2026-01-01"),
        ("{{subject}}", "{subject}"),
        ("{{{subject}}}", "{12345678Z}"),
        ("{params.empty}", ""),
    ],
)
def test_placeholders_are_filled_and_doubled_braces_are_braces(text: str, filled: str) -> None:
    assert fill(text) == filled


def test_a_text_whose_placeholder_has_no_value_is_no_text() -> None:
    assert fill("since {params.period.to}") is None


def test_unless_it_is_said_what_stands_for_it() -> None:
    assert fill("<to>{params.period.to}</to>", absent="") == "<to></to>"


def test_all_placeholders_of_a_text_are_named_known_or_not() -> None:
    assert placeholders("{subject}/{{x}}/{params.a.from}{nonsense}{}") == ["subject", "params.a.from", "nonsense", ""]
    assert placeholders("none") == []


def test_unknown_placeholders_are_an_error_that_names_each() -> None:
    with pytest.raises(ValueError, match=r"^\{person\}, \{params\.\}, \{\}: a placeholder is one of \{subject\}"):
        Template("{person} {subject} {params.} {}", verbatim)


@pytest.mark.parametrize(("text", "place"), [("a {subject", 3), ("subject}", 8), ("{a{b}", 1), ("}{", 1)])
def test_a_brace_without_its_partner_is_an_error_with_its_place(text: str, place: int) -> None:
    with pytest.raises(ValueError, match=f"at character {place} has no partner"):
        Template(text, verbatim)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_percent_encoded_is_a_value_and_nothing_else(value: str) -> None:
    from urllib.parse import unquote

    encoded = percent(value)
    assert not set(encoded) & set(" /?#&=+;@:{}<>\"'\\\r\n\0")
    assert encoded.isascii()
    assert unquote(encoded) == value


def test_nothing_is_no_part_of_a_path() -> None:
    with pytest.raises(ValueError, match="in the path is empty"):
        segment("")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\tb", "ñ", "\x7f", " a", "a "])
def test_what_is_not_visible_ascii_can_not_stand_in_a_header(value: str) -> None:
    with pytest.raises(ValueError, match="a header can't have"):
        header(value)


@pytest.mark.parametrize("value", ["", "a", "Jose Luis", "!~", "a  b"])
def test_what_is_visible_ascii_can(value: str) -> None:
    assert header(value) == value


def test_the_text_around_the_values_of_a_header_is_visible_ascii_too() -> None:
    assert header_template("Office {params.office}").fill(QUESTION) == "Office 28"
    with pytest.raises(ValueError, match="visible ASCII"):
        header_template("Oficina nº {params.office}")
    with pytest.raises(ValueError, match="visible ASCII"):
        header_template("a\r\nb")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_inside_a_json_string_a_value_stays_inside(value: str) -> None:
    assert json.loads(f'{{"nif": "{json_string(value)}"}}') == {"nif": value}


def test_inside_xml_a_value_stays_inside() -> None:
    assert xml("""a<b>&"c"'d'""") == "a&lt;b&gt;&amp;&quot;c&quot;&#x27;d&#x27;"
    with pytest.raises(ValueError, match="XML can't have"):
        xml("a\0b")


@pytest.mark.parametrize(
    ("media_type", "escaped"),
    [
        ("application/json", 'a\\"&lt'),
        ("application/vnd.api+json; charset=utf-8", 'a\\"&lt'),
        ("text/xml", "a&quot;&amp;lt"),
        ("application/soap+xml; charset=utf-8", "a&quot;&amp;lt"),
        ("application/x-www-form-urlencoded", "a%22%26lt"),
        ("text/plain", 'a"&lt'),
    ],
)
def test_a_body_s_type_says_how_values_stand_in_it(media_type: str, escaped: str) -> None:
    assert escape_of(media_type)('a"&lt') == escaped


def test_a_table_is_sent_as_json_with_its_strings_filled() -> None:
    body = {
        "nif": "{subject}",
        "n": 3,
        "deep": {"since": "{params.period.from}", "list": ["{params.office}", "plain", None, {"to": "{params.period.to}"}]},
    }
    assert json.loads(JsonTemplate(body).fill(QUESTION)) == {
        "nif": "12345678Z",
        "n": 3,
        "deep": {"since": "2026-01-01", "list": ["28", "plain", None, {}]},
    }


def test_of_a_table_what_has_no_value_is_left_out_and_of_a_list_it_is_null() -> None:
    body = {"to": "{params.period.to}", "list": ["{params.period.to}"]}
    assert json.loads(JsonTemplate(body).fill(QUESTION)) == {"list": [None]}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_value_breaks_out_of_a_table(value: str) -> None:
    question = Question(REQUEST, "q", value, {})
    assert json.loads(JsonTemplate({"nif": "{subject}", "fixed": 1}).fill(question)) == {"nif": value, "fixed": 1}


def test_a_mistake_anywhere_in_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\{person\}"):
        JsonTemplate({"a": [{"b": "{person}"}]})
