"""What a SOAP fault says, in what may be shown of it: its codes, plain and short; never its text."""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types

from esclusa.connectors.backend import Outcome, Reason

OLDER = "http://schemas.xmlsoap.org/soap/envelope/"
"""Envelopes of SOAP 1.1."""
NEWER = "http://www.w3.org/2003/05/soap-envelope"
"""Envelopes of SOAP 1.2."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_SICK = ("Server", "Receiver")
_MOST_CODES = 8


class Fault(msgspec.Struct, frozen=True):
    """A fault, without its text."""

    codes: tuple[str, ...]
    """From the general to the special, without prefixes; those that are long or strange are left out."""
    details: tuple[str, ...]
    """Names of the elements in its detail."""

    def outcome(self, empty: Collection[str], *, idempotent: bool) -> Outcome:
        """What it means for the question. The breaker counts what the service says to be its own failure."""
        if not set(empty).isdisjoint((*self.codes, *self.details)):
            return Outcome()
        sick = bool(self.codes) and self.codes[0].partition(".")[0] in _SICK
        named = f"It answered with the fault {' '.join(self.codes)}" if self.codes else "It answered with a fault"
        return Outcome(reason=Reason.BACKEND_ERROR, detail=named, again=sick and idempotent, failure=sick, cause="fault")


def body_of(envelope: etree._Element) -> etree._Element | None:
    """The body of an envelope, of either version; None: this is none."""
    name = etree.QName(envelope)
    if name.localname != "Envelope" or name.namespace not in (OLDER, NEWER):
        return None
    return envelope.find(f"{{{name.namespace}}}Body")


def fault_of(body: etree._Element) -> Fault | None:
    """The fault in the body of an envelope, if there is one."""
    for version in (OLDER, NEWER):
        fault = body.find(f"{{{version}}}Fault")
        if fault is not None:
            texts = _newer(fault) if version == NEWER else [fault.findtext("faultcode", "")]
            detail = fault.find(f"{{{NEWER}}}Detail" if version == NEWER else "detail")
            names = [] if detail is None else [etree.QName(each).localname for each in detail.iterchildren("*")]
            return Fault(tuple(code for text in texts if (code := _plain(text))), tuple(names))
    return None


def _newer(fault: etree._Element) -> list[str]:
    """The code of SOAP 1.2, and the ones inside it."""
    texts: list[str] = []
    code = fault.find(f"{{{NEWER}}}Code")
    while code is not None and len(texts) < _MOST_CODES:
        texts.append(code.findtext(f"{{{NEWER}}}Value", ""))
        code = code.find(f"{{{NEWER}}}Subcode")
    return texts


def _plain(text: str) -> str:
    """The name in a QName, when it is one that may be shown; empty otherwise."""
    local = text.strip().rpartition(":")[2]
    return local if _PLAIN.fullmatch(local) else ""
