"""What an answer in text says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.tcp.answer import Answers, Form


@pytest.mark.parametrize(
    ("form", "text", "members"),
    [
        ("OK {name};{since}", "OK Ana;1980", {"name": "Ana", "since": "1980"}),
        ("OK {name};{since}", "OK ;", {"name": "", "since": ""}),
        ("OK {name};{since}", "OK a;b;c", {"name": "a", "since": "b;c"}),
        ("{all}", "a\nb", {"all": "a\nb"}),
        ("{{{n}}}", "{7}", {"n": "7"}),
        ("VALUE {key} {_}\r\n{data}\r\n", "VALUE k 0 5\r\nhello\r\n", {"key": "k", "_": "0 5", "data": "hello"}),
        ("{a}ab", "ab", {"a": ""}),
        ("NO", "NO", {}),
        ("NO", "NO!", None),
        ("OK {name}", "KO Ana", None),
        ("OK {name};", "OK Ana", None),
        ("ab{x}bc", "abc", None),
        ("{a};{b}.", ";", None),
    ],
)
def test_what_stands_in_each_place_is_a_member(form: str, text: str, members: dict[str, str] | None) -> None:
    assert Form(form).read(text) == members


@given(st.lists(st.text("ab", max_size=5), min_size=2, max_size=4))
def test_what_was_put_into_its_places_is_found_there(values: list[str]) -> None:
    form = Form(";".join(f"{{v{number}}}" for number in range(len(values))))
    assert form.read(";".join(values)) == {f"v{number}": value for number, value in enumerate(values)}


def test_a_long_answer_takes_no_longer_than_it_is() -> None:
    """A regular expression with eight places would be at it for hours."""
    form = Form(";".join(f"{{v{number}}}" for number in range(8)) + "!")
    assert form.read(";" * 1_000_000) is None


@pytest.mark.parametrize(
    ("form", "words"), [("{a", "no partner"), ("a}", "no partner"), ("{a}{b}", "nothing stands before"), ("{a};{a}", "twice")]
)
def test_what_is_no_form_is_said(form: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Form(form)


def test_an_answer_is_read_by_its_form_a_function_or_as_it_is() -> None:
    assert Answers("OK {name}", ["NO{_}"]).data("OK Ñ") == '{"name":"Ñ"}'.encode()
    assert Answers("OK {name}", ["NO{_}"]).data("NO, nobody") is None
    assert Answers(None, []).data("as it is") == b'"as it is"'
    assert Answers("json:loads", []).data("[1]") == b"[1]"
    assert Answers("json:loads", []).data("null") is None
    assert Answers("msgspec:Raw", []).data('{"a":"Ñ"}') == '{"a":"Ñ"}'.encode()
    with pytest.raises(ValueError, match="another form"):
        Answers("OK {name}", []).data("KO")


@pytest.mark.parametrize("said", ["{", "", "OK", '"\\ud800"', "1 2"])
def test_what_a_function_passes_on_unseen_has_to_be_json(said: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Answers("msgspec:Raw", []).data(said)
