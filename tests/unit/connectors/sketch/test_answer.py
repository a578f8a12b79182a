"""What is said of an answer, and how it may be brought into shape."""

from __future__ import annotations

import tomllib

import pytest

from esclusa.connectors.expression import expression
from esclusa.connectors.items import items_of
from esclusa.connectors.settings import ItemsSettings
from esclusa.connectors.sketch.answer import items, outline
from esclusa.connectors.sketch.page import Page
from esclusa.connectors.sketch.part import Kind, Part


def of(name: str, *parts: Part, many: bool = False, kind: Kind = "table") -> Part:
    return Part(name, kind, many, parts=parts)


def written(answer: Part) -> tuple[str, dict[str, str], str | None]:
    """What is said, and the items and the transform that are in comments."""
    page = Page()
    outline(page, answer)
    said = page.text()
    transform = next((line for line in said.splitlines() if line.startswith("# transform")), None)
    page = Page()
    items(page, answer, "c")
    code = "\n".join(line.removeprefix("# ") for line in page.text().splitlines() if " = " in line)
    return said, tomllib.loads(code), transform and tomllib.loads(transform.removeprefix("# "))["transform"]


NAME, DATE = Part("nombre", "text"), Part("fecha", "date")


def test_the_list_that_says_more_than_what_is_around_it_has_the_items() -> None:
    answer = of("", Part("total", "number"), of("los pagos", NAME, DATE, of("estado", Part("codigo", "text")), many=True))
    said, found, transform = written(answer)
    assert "#   los pagos[].estado.codigo  text" in said
    assert found == {"from": '"los pagos"', "label": "nombre", "date": "fecha"}
    data = {"total": 1, "los pagos": [{"nombre": "a", "fecha": "2026-01-01", "estado": {"codigo": "x"}}]}
    assert transform is not None
    assert expression(transform)(data) == [{"nombre": "a", "fecha": "2026-01-01", "estado_codigo": "x"}]
    settings = ItemsSettings(source=found.pop("from"), **found)
    (item,) = items_of(settings)(data)
    assert item["label"] == "a"
    assert item["date"] == "2026-01-01"


def test_a_table_is_the_only_item_though_it_has_a_list() -> None:
    _, found, transform = written(of("", NAME, DATE, of("calles", Part("calle", "text"), many=True)))
    assert found == {"from": "@", "label": "nombre", "date": "fecha"}
    assert transform == "{nombre: nombre, fecha: fecha}"


def test_a_table_that_stands_alone_is_looked_into() -> None:
    _, found, _ = written(of("", of("persona", NAME)))
    assert found == {"from": "persona", "label": "nombre"}


@pytest.mark.parametrize("answer", [Part(""), of("")])
def test_where_nothing_is_described_nothing_is_guessed(answer: Part) -> None:
    said, found, transform = written(answer)
    assert "the description does not say" in said
    assert (found, transform) == ({}, None)


def test_a_long_answer_is_cut_short() -> None:
    said, _, _ = written(of("", *[Part(f"a{number}", "text") for number in range(60)]))
    assert "#   and 20 more" in said
