"""XML from outside can't do harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from esclusa.connectors.soap.xml import UnsafeXml, expanded, parsed

BOMB = '<!DOCTYPE a [<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)) + "]>"


def test_xml_is_parsed_in_the_charset_that_its_sender_says() -> None:
    assert parsed("<a>ñ</a>".encode()).text == "ñ"
    assert parsed("<a>ñ</a>".encode("latin-1"), "iso-8859-1").text == "ñ"
    assert parsed('<?xml version="1.0" encoding="utf-16"?><a>ñ</a>'.encode("utf-16")).text == "ñ"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"hello",
        b"<a><b></a>",
        b"<a>",
        b"<a/><b/>",
        b"<a>\x00</a>",
        b"<a>&nbsp;</a>",
        b"<!DOCTYPE a><a/>",
        f"{BOMB}<a>&l9;</a>".encode(),
        f'{BOMB}<a b="&l9;"/>'.encode(),
        f"{BOMB}<a>&l9;</a>".encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:1/a.dtd"> %b;]><a/>',
        b"<a>" * 5000 + b"</a>" * 5000,
    ],
)
def test_what_is_none_or_could_do_harm_is_refused(document: bytes) -> None:
    with pytest.raises(UnsafeXml):
        parsed(document)


def test_a_charset_that_is_none_is_refused() -> None:
    with pytest.raises(UnsafeXml):
        parsed(b"<a/>", "klingon")


def test_files_are_not_read_for_an_entity(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with pytest.raises(UnsafeXml):
        parsed(f'<!DOCTYPE a [<!ENTITY b SYSTEM "file://{secret}">]><a>&b;</a>'.encode())


def test_references_to_shared_elements_are_bounded_in_what_they_stand_for() -> None:
    assert expanded(parsed(b"<b><x>long</x></b>"), 1) == 0
    few = expanded(parsed(b'<b><x><p href="#1"/><p href="#1"/><p href="#none"/></x><m id="1">a</m></b>'), 10_000)
    long = expanded(parsed(b'<b><x><p href="#1"/><p href="#1"/></x><m id="1" a="bbb">%b</m></b>' % (b"a" * 1000)), 10_000)
    assert 100 < few < 1000
    assert 3000 < long < 4000, "where it stands, and twice where it is referred to"
    with pytest.raises(UnsafeXml, match="too much"):
        expanded(parsed(b'<b><x><p href="#1"/><p href="#1"/></x><m id="1">%b</m></b>' % (b"a" * 1000)), 2000)
    levels = "".join(f'<m id="{n}">{f"""<p href="#{n + 1}"/>""" * 10}</m>' for n in range(9))
    with pytest.raises(UnsafeXml, match="too much"):
        expanded(parsed(f'<b><x href="#0"/>{levels}</b>'.encode()), 10_000_000)
    with pytest.raises(UnsafeXml, match="in circles"):
        expanded(parsed(b'<b><x href="#1"/><m id="1"><p href="#2"/></m><m id="2"><p href="#1"/></m></b>'), 10_000)
