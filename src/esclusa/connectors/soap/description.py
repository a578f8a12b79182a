"""What a WSDL says of one operation, read once. The one place where WSDL and XSD are read; zeep does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ssl import SSLContext
from typing import Any

from zeep import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding

from esclusa.connectors.http.documents import Documents, shown
from esclusa.connectors.soap.settings import SoapSettings
from esclusa.kernel.errors import UnusableSettings

_LIMITS: dict[str, Any] = {"strict": True, "forbid_dtd": True, "forbid_entities": True, "xml_huge_tree": False}


def read(wsdl: str, documents: Documents) -> Document:
    """The WSDL at a path or URL, with all that it imports. `ValueError` in words when it can't be read or understood."""
    transport: Any = documents  # of a transport, nothing but `load` is used
    try:
        return Document(wsdl, transport, settings=Settings(**_LIMITS))
    except ValueError:
        raise
    except Exception as error:  # zeep raises whatever a wrong document leads to
        what = getattr(error, "message", None) or str(error) or type(error).__name__
        raise ValueError(f"{shown(wsdl)} is no WSDL that can be understood: {what}") from error


class Description:
    """One operation of a WSDL, which can be called by HTTP. `UnusableSettings`, with the key that is wrong."""

    def __init__(self, name: str, settings: SoapSettings, ticks: Callable[[], float], tls: SSLContext | None) -> None:
        """`name`: the connector's, for what is wrong; the rest as `Documents` has it. Reads files and the network, and waits for them."""
        self._here = ("connectors", name)
        document = self._read(settings, ticks, tls)
        services = document.services
        if not services:
            raise self._wrong("wsdl", "it describes no service")
        if settings.service is None and len(services) > 1:
            raise self._wrong("service", f"the WSDL has several: choose {_listed(services)}")
        service = self._chosen("service", settings.service or next(iter(services)), services)
        ports = {each: port for each, port in service.ports.items() if isinstance(port.binding, SoapBinding)}
        if not ports:
            raise self._wrong("service", f"{service.name} has no port that speaks SOAP over HTTP")
        port = self._chosen("port", settings.port or next(iter(ports)), ports)
        operation = self._chosen("operation", settings.operation, port.binding.all())
        self.operation: Any = operation
        """As zeep knows it: `create(**arguments)`, `process_reply(envelope)`."""
        self.answered: str | None = _answered(operation)
        """What the body of an answer has to have, as `find` has it; without it, it would be taken for one that says nothing.

        None: nothing, because its message has no parts.
        """
        self.envelope: str = port.binding.nsmap["soap-env"]
        """The namespace of its envelopes."""
        self.action: str = operation.soapaction or ""
        """Of its HTTP header."""
        self.newer: bool = isinstance(port.binding, Soap12Binding)
        """Whether SOAP 1.2 is spoken, in place of 1.1."""
        self.url: str = settings.url or (port.binding_options or {}).get("address") or ""
        """Where it is."""
        if not self.url:
            raise self._wrong("url", "the WSDL has no address: say here where the service is")

    def _read(self, settings: SoapSettings, ticks: Callable[[], float], tls: SSLContext | None) -> Document:
        try:
            return read(settings.wsdl, Documents(settings.wsdl, ticks, tls))
        except ValueError as error:
            raise self._wrong("wsdl", str(error)) from error

    def _chosen(self, key: str, name: str, known: Mapping[str, Any]) -> Any:
        if name not in known:
            raise self._wrong(key, f"the WSDL has no {key} {name}: choose {_listed(known)}")
        return known[name]

    def _wrong(self, key: str, what: str) -> UnusableSettings:
        return UnusableSettings((*self._here, key), what)


def _answered(operation: Any) -> str | None:
    """The name of the element, where it is known: of a document in one part. The name of an RPC's is anybody's choice."""
    output: Any = operation.output
    if output is not None and output.body is None:
        return None
    if output is None or operation.style != "document" or output._is_body_wrapped:  # noqa: SLF001 - nothing public tells
        return "*"
    return "*" if output.body.qname is None else output.body.qname.text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
