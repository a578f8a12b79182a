from __future__ import annotations

import pytest

from esclusa.connectors.expression import expression


def test_it_finds_what_stands_there_and_none_where_nothing_does() -> None:
    place = expression("files[].place.name")
    assert place({"files": [{"place": {"name": "León"}}, {}]}) == ["León"]
    assert place({}) is None


@pytest.mark.parametrize(("text", "where"), [("files[", ""), ("a b", ", from character 3 on"), ("", "")])
def test_what_is_no_expression_is_an_error_that_says_where(text: str, where: str) -> None:
    with pytest.raises(ValueError, match=f"^this is no JMESPath expression{where}"):
        expression(text)


def test_types_that_do_not_suit_it_are_an_error_of_values() -> None:
    with pytest.raises(ValueError, match="invalid type"):
        expression("join(' ', @)")(1)
