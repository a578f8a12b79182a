"""Types of XML Schema as trees of parts."""

from __future__ import annotations

from time import perf_counter

from esclusa.connectors.http.documents import Documents
from esclusa.connectors.sketch.part import Part
from esclusa.connectors.soap.description import read
from esclusa.connectors.soap.schema import parts_of
from support.descriptions import HERE


def test_elements_and_attributes_with_what_is_inside() -> None:
    place = str(HERE / "census.wsdl")
    document = read(place, Documents(place, perf_counter, None))
    (person,) = parts_of(document.types.get_element("{urn:census}PersonResponse").type)
    required = True
    assert person == Part(
        "person",
        "table",
        parts=(
            Part("name", "text", required=required),
            Part("born", "date"),
            Part("owes", "number"),
            Part("page", "link"),
            Part("place", "table", many=True, parts=(Part("town", "text", required=required),)),
            Part("mother", "unknown"),
            Part("status", "text"),
        ),
    )


def test_a_simple_type_has_nothing_inside() -> None:
    assert parts_of(None) == ()
