from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from esclusa.connectors.rest.xml import DEEPEST, MOST, plain


def made(document: str, *lists: str) -> dict[str, Any]:
    return plain(document.encode(), None, lists)


def test_elements_are_members_and_repeated_ones_a_list_in_order() -> None:
    assert made("<r><a>1</a><b>x</b><a>2</a><a/></r>") == {"r": {"a": ["1", "2", ""], "b": "x"}}


def test_attributes_are_members_with_an_at_sign_and_text_beside_them_is_told_apart() -> None:
    assert made('<r><amount currency="EUR">\n 10.50 </amount></r>') == {"r": {"amount": {"@currency": "EUR", "#text": "10.50"}}}


def test_text_is_all_there_is_around_children_without_the_white_space_at_its_ends() -> None:
    assert made("<r> one <b>two</b> three <![CDATA[<4>]]> &lt;&#241; </r>") == {"r": {"b": "two", "#text": "one  three <4> <ñ"}}


def test_namespaces_comments_and_instructions_are_left_out() -> None:
    document = '<?xml version="1.0"?><?go on?><s:r xmlns:s="urn:a" xmlns="urn:b" s:k="1"><!-- no --><a>1</a><s:a>2</s:a></s:r>'
    assert made(document) == {"r": {"@k": "1", "a": ["1", "2"]}}


def test_elements_that_are_said_to_be_lists_are_one_also_when_they_are_alone() -> None:
    assert made("<r><f><n>1</n></f></r>", "f") == {"r": {"f": [{"n": "1"}]}}
    assert made("<r><f/><f/></r>", "f") == {"r": {"f": ["", ""]}}


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"])
def test_the_encoding_is_the_one_that_the_document_names(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><r>año</r>'.encode(encoding)
    assert plain(document, None) == {"r": "año"}


def test_what_its_sender_says_of_the_encoding_counts_more() -> None:
    assert plain('<?xml version="1.0" encoding="iso-8859-1"?><r>año</r>'.encode(), "utf-8") == {"r": "año"}


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><r>&b;</r>'


@pytest.mark.parametrize(
    "document",
    [
        "",
        "text",
        "<r>",
        "<r></s>",
        "<r/><r/>",
        "<r>&unknown;</r>",
        "<r>\x00</r>",
        "<!DOCTYPE html><r/>",
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/r.dtd"><r/>',
        BOMB,
        '<?xml version="1.0" encoding="klingon"?><r/>',
    ],
)
def test_what_is_no_xml_or_has_a_document_type_is_refused(document: str) -> None:
    with pytest.raises((ValueError, LookupError)):
        made(document)


def test_depth_and_size_are_bounded() -> None:
    assert made("<a>" * DEEPEST + "</a>" * DEEPEST)
    for document in ("<a>" * (DEEPEST + 1) + "</a>" * (DEEPEST + 1), "<r>" + "<a/>" * MOST + "</r>"):
        with pytest.raises(ValueError, match="too many elements, or they are too deep"):
            made(document)


def test_a_long_namespace_is_not_written_out_for_each_of_many_short_prefixes() -> None:
    many = 2_000
    document = f"<r xmlns:a='{'u' * 1_000_000}' " + " ".join(f"a:x{number}=''" for number in range(many)) + "/>"
    tracemalloc.start()
    try:
        assert len(made(document)["r"]) == many
        assert tracemalloc.get_traced_memory()[1] < 20 * len(document)
    finally:
        tracemalloc.stop()
