"""What a thing may be, by its name."""

from __future__ import annotations

import pytest

from esclusa.connectors.sketch.guesses import is_fiscal, members_among, subject_among, words_of
from esclusa.connectors.sketch.part import Part


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("taxId", ["tax", "id", "taxid"]),
        ("NIFTitular", ["nif", "titular", "niftitular"]),
        ("fecha_de-alta", ["fecha", "de", "alta", "fechadealta"]),
        ("Número", ["numero", "numero"]),
        ("***", [""]),
    ],
)
def test_a_name_is_made_of_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        (["limit", "petId"], "petId"),
        (["id", "nif"], "nif"),
        (["from", "titular"], "titular"),
        (["from", "to"], None),
        ([], None),
    ],
)
def test_the_likeliest_name_is_the_subject(names: list[str], subject: str | None) -> None:
    found = subject_among([Part(name, "text") for name in names])
    assert (found and found.name) == subject


def test_what_alone_is_required_is_the_subject() -> None:
    found = subject_among([Part("from", "text"), Part("key", "text", required=True), Part("ids", "text", many=True)])
    assert found is not None
    assert found.name == "key"


def test_only_some_names_say_that_it_is_a_nif() -> None:
    assert is_fiscal("dniTitular")
    assert not is_fiscal("identificador")


def test_members_go_by_name_and_type_and_none_is_taken_twice() -> None:
    parts = [
        ("id", Part("id", "number")),
        ("nombre", Part("nombre", "text")),
        ("alta", Part("alta", "date")),
        ("total", Part("total", "number")),
        ("estado", Part("estado", "text")),
        ("web", Part("web", "link")),
        ("flag", Part("flag", "truth")),
    ]
    assert members_among(parts) == {"label": "nombre", "date": "alta", "amount": "total", "state": "estado", "link": "web"}
    assert members_among([("x", Part("x", "text"))]) == {"label": "x"}
    assert members_among([("x", Part("x", "truth"))]) == {}
