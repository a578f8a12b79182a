"""XML from outside, parsed within bounds: no document type, no entity, no network, no giant tree."""

from __future__ import annotations

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types

_ELEMENT = 64
"""Bytes for which an element stands beside its text and its attributes."""


class UnsafeXml(Exception):
    """What came is no XML, or XML of a kind that is refused."""


def parsed(document: bytes, charset: str | None = None) -> etree._Element:
    """The root of `document`. `charset`: what its sender says, which counts more than what it says itself (RFC 7303). `UnsafeXml`.

    Whatever is inside is depth- and size-bounded by libxml2's own limits. A document type is refused, and with it every
    entity but the five that XML has.
    """
    try:
        parser = etree.XMLParser(
            encoding=charset,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, LookupError, ValueError):
        raise UnsafeXml("this is no XML") from None
    if root.getroottree().docinfo.doctype:
        raise UnsafeXml("it has a document type")
    return root


def expanded(body: etree._Element, most: int) -> int:
    """What the references between elements of `body` (SOAP 1.1, 5.4.1) make of it, in bytes, about; 0 when there are none.

    `UnsafeXml` when they go in circles, or it would be more than `most`. zeep puts a copy of what is referred to in the place
    of each reference, with which a few hundred bytes could fill the memory.
    """
    shared = {f"#{element.get('id')}": element for element in body.iterchildren("*") if element.get("id")}
    sizes: dict[str, int] = {}

    def size(element: etree._Element, above: tuple[str, ...]) -> int:
        total = 0
        for each in element.iter("*"):
            total += _ELEMENT + len(each.text or "") + len(each.tail or "") + sum(map(len, each.attrib.values()))
            name = each.get("href", "")
            if name in above:
                raise UnsafeXml("its references go in circles")
            if name in shared:
                if name not in sizes:
                    sizes[name] = size(shared[name], (*above, name))
                total += sizes[name]
            if total > most:
                raise UnsafeXml("its references stand for too much")
        return total

    return size(body, ()) if shared else 0
