from __future__ import annotations

from typing import Any

import pytest

from esclusa.connectors.items import item_checks, items_of
from esclusa.connectors.settings import ItemsSettings

FILE = {
    "titulo": "Multa 1",
    "detalle": {"puntos": 2},
    "fecha": "2026-03-01",
    "importe": 100.5,
    "estado": "abierto",
    "url": "https://dgt.example/1",
    "interno": "no",
}


def items(answer: Any, **settings: str) -> Any:
    return items_of(ItemsSettings(**{"label": "titulo", **settings}))(answer)


def test_items_have_what_the_expressions_find_and_nothing_else() -> None:
    found = items(
        {"expedientes": [FILE]},
        source="expedientes",
        value="detalle.puntos",
        date="fecha",
        amount="importe",
        state="estado",
        link="url",
    )
    assert found == [
        {
            "label": "Multa 1",
            "value": 2,
            "date": "2026-03-01",
            "amount": 100.5,
            "state": "abierto",
            "link": "https://dgt.example/1",
        }
    ]


def test_they_come_in_the_order_of_the_answer_which_is_the_list_unless_the_settings_say_where_it_is() -> None:
    assert items([{"titulo": "b"}, {"titulo": "a"}]) == [{"label": "b"}, {"label": "a"}]


def test_an_item_is_without_what_is_not_found_and_where_nothing_is_found_there_is_no_item() -> None:
    assert items([{"titulo": "a", "estado": None}, {"other": 1}, 7], state="estado") == [{"label": "a"}]


def test_a_table_in_place_of_the_list_is_the_only_item() -> None:
    assert items({"persona": {"titulo": "a"}}, source="persona") == [{"label": "a"}]


def test_without_list_there_is_nothing_about_the_subject_and_with_an_empty_one_no_items() -> None:
    assert items({}, source="expedientes") is None
    assert items({"expedientes": []}, source="expedientes") == []


@pytest.mark.parametrize("answer", ["text", 3, True])
def test_an_answer_of_another_kind_is_an_error(answer: Any) -> None:
    with pytest.raises(ValueError, match="neither a list nor a table"):
        items(answer)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "/files/1", "//dgt.example/1", "https:", "http://[", 7, {}]
)
def test_a_link_that_does_not_lead_to_the_web_is_left_out(link: Any) -> None:
    assert items([{"titulo": "a", "url": link}], link="url") == [{"label": "a"}]


def test_what_is_no_expression_is_named_with_its_key() -> None:
    settings = ItemsSettings(source="a[", label="titulo", state="a b")
    wrong = []
    for path, check in item_checks(("connectors", "dgt", "items"), settings):
        try:
            check()
        except ValueError as error:
            wrong.append((path[-1], str(error)))
    assert [key for key, _ in wrong] == ["from", "state"]
    assert all(what.startswith("this is no JMESPath expression") for _, what in wrong)
