"""XML from outside, parsed within bounds: no document type, no entity, no network, no giant tree."""

from __future__ import annotations

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types

MOST_NODES = 100_000
"""Elements that an answer may have once its references are followed."""


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


def bounded(body: etree._Element) -> None:
    """`UnsafeXml` when the references between elements of `body` (SOAP 1.1, 5.4.1) go in circles, or stand for too much.

    zeep puts a copy of what is referred to in the place of each reference, which a few hundred bytes could make fill the memory.
    """
    shared = {f"#{element.get('id')}": element for element in body.iterchildren("*") if element.get("id")}
    sizes: dict[str, int] = {}

    def size(element: etree._Element, above: tuple[str, ...]) -> int:
        total = 0
        for each in element.iter("*"):
            total += 1
            name = each.get("href", "")
            if name in above:
                raise UnsafeXml("its references go in circles")
            if name in shared:
                if name not in sizes:
                    sizes[name] = size(shared[name], (*above, name))
                total += sizes[name]
            if total > MOST_NODES:
                raise UnsafeXml("its references stand for too much")
        return total

    if shared:
        size(body, ())
