"""What an operation takes, as placeholders that a query declares."""

from __future__ import annotations

import tomllib

from esclusa.connectors.sketch.page import Page
from esclusa.connectors.sketch.part import Part
from esclusa.connectors.sketch.question import Asked


def test_one_is_the_subject_and_the_others_are_parameters_of_the_query() -> None:
    parts = [
        Part("nif", "text", required=True),
        Part("desde el", "date", about="From when"),
        Part("desde/el", "text", required=True),
        Part("1", "number"),
        Part("**", "text"),
    ]
    asked = Asked(parts)
    texts = [asked.text(part)[0] for part in parts]
    assert texts == ["{subject}", "{params.desde-el}", "{params.desde-el2}", "{params.p1}", "{params.p}"]
    assert asked.text(parts[1])[0] == "{params.desde-el}", "it is the same one, wherever it stands"
    page = Page()
    asked.query(page, "body", "A body")
    query = tomllib.loads(page.text())["queries"]["body"]
    assert query.pop("params") == {
        "desde-el": {"type": "date", "title": "From when"},
        "desde-el2": {"type": "text", "required": True},
        "p1": {"type": "number"},
        "p": {"type": "text"},
    }
    assert query == {"title": "A body", "connectors": ["body"], "subject": "nif"}


def test_what_has_one_value_alone_has_that() -> None:
    asked = Asked([])
    assert asked.text(Part("a", "text", required=True, always="{x} $1"))[0] == "{{x}} $$1"
    assert asked.text(Part("a", "truth", required=True, always=True))[0] == "true"
    assert asked.text(Part("a", "text", always="x"))[0] == "{params.a}"


def test_it_says_so_when_nothing_tells_whom_it_is_about() -> None:
    page = Page()
    Asked([Part("from", "text")]).admit(page)
    assert "guess: nothing here tells whom it is about" in page.text()
    page = Page()
    Asked([Part("dni", "text")]).admit(page)
    assert page.text() == "\n"
