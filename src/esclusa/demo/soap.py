"""As much of a SOAP service as a made-up public body needs: envelopes read and written, faults, and the WSDL for whoever asks.

Document/literal, 1.1 or 1.2. An answer's JSON is its elements: a table its children, a list the same element again and again.
"""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import msgspec

from esclusa.demo.http11 import Reply

_ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
_KINDS = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
_SECURITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A SOAP service with one operation; its WSDL is `wsdl/BODY.wsdl`."""

    version: Literal["1.1", "1.2"]
    namespace: str
    operation: str
    """The element that asks; that of the answer is called the same, with `Respuesta` after it."""
    item: str = "item"
    """What an element is called where an answer is a list and nothing else."""
    login: tuple[str, str] | None = None
    """User and password, without which (a UsernameToken, in text) it answers with a fault."""

    def question(self, body: bytes) -> dict[str, str]:
        """What is asked, by name. `ValueError`, in words, where it is not asked, or not by who may."""
        try:
            root = ET.XML(body, ET.XMLParser(target=_Undeclared()))  # noqa: S314 - without a DTD there are no entities to expand
        except (ET.ParseError, LookupError):
            raise ValueError("no es XML") from None
        envelope = f"{{{_ENVELOPES[self.version]}}}"
        if self.login is not None and self._login(root, envelope) != self.login:
            raise ValueError("credenciales no válidas")
        asked = root.find(f"{envelope}Body/{{{self.namespace}}}{self.operation}")
        if root.tag != f"{envelope}Envelope" or asked is None:
            raise ValueError(f"se esperaba {self.operation}")
        return {child.tag.rpartition("}")[2]: child.text or "" for child in asked}

    def answer(self, said: Any) -> Reply:
        """An answer."""
        content = said if isinstance(said, dict) else {self.item: said}
        name = f"{self.operation}Respuesta"
        return self._reply(200, f'<{name} xmlns="{self.namespace}">{"".join(_elements(content))}</{name}>')

    def fault(self, whose: Literal["caller", "service"], words: str, detail: str = "") -> Reply:
        """A fault; `detail`: the name of an element of the service's own that says which."""
        element = f'<{detail} xmlns="{self.namespace}"/>' if detail else ""
        if self.version == "1.1":
            code = "Client" if whose == "caller" else "Server"
            inside = f"<faultcode>e:{code}</faultcode><faultstring>{escape(words)}</faultstring><detail>{element}</detail>"
        else:
            code = "Sender" if whose == "caller" else "Receiver"
            text = f'<e:Reason><e:Text xml:lang="es">{escape(words)}</e:Text></e:Reason>'
            inside = f"<e:Code><e:Value>e:{code}</e:Value></e:Code>{text}<e:Detail>{element}</e:Detail>"
        return self._reply(500, f"<e:Fault>{inside}</e:Fault>")

    def _login(self, root: ET.Element, envelope: str) -> tuple[str | None, str | None]:
        token = f"{envelope}Header/{_SECURITY}Security/{_SECURITY}UsernameToken/{_SECURITY}"
        return root.findtext(f"{token}Username"), root.findtext(f"{token}Password")

    def _reply(self, status: int, body: str) -> Reply:
        envelope = f'<e:Envelope xmlns:e="{_ENVELOPES[self.version]}"><e:Body>{body}</e:Body></e:Envelope>'
        return Reply(status, f'<?xml version="1.0" encoding="utf-8"?>{envelope}'.encode(), _KINDS[self.version])


class _Undeclared(ET.TreeBuilder):
    """Builds a tree of what has no DTD."""

    def doctype(self, *_: object) -> None:
        """As expat tells of one. `ValueError`."""
        raise ValueError("no se admiten DTD")


def wsdl(body: str, url: str) -> Reply:
    """The WSDL of a body whose service is at `url`."""
    text = resources.files("esclusa.demo").joinpath("wsdl", f"{body}.wsdl").read_text(encoding="utf-8")
    before, address, after = text.partition(' location="')
    _, quote, rest = after.partition('"')
    return Reply(200, f"{before}{address}{escape(url)}{quote}{rest}".encode(), "text/xml; charset=utf-8")


def _elements(table: dict[str, Any]) -> list[str]:
    return [
        f"<{name}>{''.join(_elements(one)) if isinstance(one, dict) else escape(str(one))}</{name}>"
        for name, value in table.items()
        for one in (value if isinstance(value, list) else [value])
    ]
