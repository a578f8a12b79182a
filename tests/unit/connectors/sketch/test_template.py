"""Bodies and arguments, each part with its line."""

from __future__ import annotations

import tomllib

from esclusa.connectors.sketch.page import Page
from esclusa.connectors.sketch.part import Part
from esclusa.connectors.sketch.question import Asked
from esclusa.connectors.sketch.template import write_template


def test_tables_have_tables_and_lists_one_item() -> None:
    nif = Part("nif", "text", required=True)
    parts = (
        Part("titular", "table", parts=(nif, Part("a b", "table", parts=(Part("c", "text"),)))),
        Part("open", "unknown", required=True),
        Part("sure", "truth"),
        Part("size", "number", always=10),
        Part("how many", "number"),
        Part("empty", "table"),
        Part("rows", "table", many=True, parts=(Part("x", "text"), Part("on", "truth"), Part("n", "number", always=1))),
    )
    page = Page()
    write_template(page, ("body",), parts, Asked([nif]), typed=True)
    text = page.text()
    assert tomllib.loads(text)["body"] == {
        "titular": {"nif": "{subject}", "a b": {"c": "{params.c}"}},
        "open": "{params.open}",
        "sure": False,
        "size": 10,
        "how many": "{params.how-many}",
        "empty": {},
        "rows": [{"x": "{params.x}", "on": False, "n": 1}],
    }
    assert "sent as a text, and a number is wanted" in text
    page = Page()
    write_template(page, ("body",), parts, Asked([nif]), typed=False)
    assert "a number is wanted" not in page.text()
