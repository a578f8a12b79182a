"""What a WSDL says of one operation, read once. The one place where WSDL and XSD are read; zeep does it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPMessage
from pathlib import Path
from ssl import SSLContext
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from zeep import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding

from esclusa.connectors.soap.settings import SoapSettings
from esclusa.kernel.errors import UnusableSettings

LONGEST = 10.0
"""Seconds for all documents of one WSDL."""
LARGEST = 16 * 1024 * 1024
"""Bytes of one document."""
MOST = 200
"""Documents of one WSDL."""
_LIMITS: dict[str, Any] = {"strict": True, "forbid_dtd": True, "forbid_entities": True, "xml_huge_tree": False}
_PIECE = 64 * 1024
_REMOTE = ("http", "https")


class _NoOtherSchemes(urllib.request.HTTPRedirectHandler):
    """Follows redirects to HTTP alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """As in the base."""
        if urlsplit(newurl).scheme not in _REMOTE:
            raise ValueError("it leads to what is not HTTP")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Documents:
    """Reads a WSDL and what it imports, as zeep asks for it, within `LONGEST`, `LARGEST` and `MOST`. `ValueError` in words.

    No credentials are shown. A WSDL that came over the network can't import this machine's files.
    """

    def __init__(self, start: str, ticks: Callable[[], float], tls: SSLContext | None) -> None:
        """`start`: where the WSDL itself is; `ticks`: seconds of a clock that runs on; `tls`: how `https` is done."""
        self._remote = urlsplit(start).scheme in _REMOTE
        self._ticks = ticks
        self._end = ticks() + LONGEST
        self._left = MOST
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoOtherSchemes()]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls))
        self._opener = urllib.request.build_opener(*handlers)

    def load(self, place: str) -> bytes:
        """The bytes of the document at `place`, a path or URL; named as zeep's transports name it."""
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"it imports more than {MOST} documents")
        parts = urlsplit(place)
        try:
            if parts.scheme in _REMOTE:
                return self._fetched(place)
            if self._remote:
                raise ValueError(f"it imports {place}, a file of this machine")
            with Path(unquote(parts.path) if parts.scheme == "file" else place).open("rb") as file:
                content = file.read(LARGEST + 1)
                self._within(place, len(content))
                return content
        except urllib.error.HTTPError as error:
            error.close()
            raise ValueError(f"{place}: the answer has status {error.code}") from None
        except OSError as error:
            why = error.reason if isinstance(error, urllib.error.URLError) else error
            raise ValueError(f"{place} can't be read ({getattr(why, 'strerror', None) or why})") from None

    def _fetched(self, place: str) -> bytes:
        with self._opener.open(place, timeout=max(0.001, self._end - self._ticks())) as answer:
            whole = bytearray()
            while piece := answer.read1(_PIECE):
                whole += piece
                self._within(place, len(whole))
        return bytes(whole)

    def _within(self, place: str, size: int) -> None:
        if size > LARGEST:
            raise ValueError(f"{place} is larger than {LARGEST >> 20} MiB")
        if self._ticks() > self._end:
            raise ValueError(f"{place} did not come within {LONGEST:g} s")


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
        self.answered: str = _answered(operation)
        """What the body of an answer has to have, as `find` has it; without it, it would be taken for one that says nothing."""
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
            documents: Any = Documents(settings.wsdl, ticks, tls)  # of a transport, nothing but `load` is used
            return Document(settings.wsdl, documents, settings=Settings(**_LIMITS))
        except ValueError as error:
            raise self._wrong("wsdl", str(error)) from error
        except Exception as error:  # zeep raises whatever a wrong document leads to
            what = getattr(error, "message", None) or str(error) or type(error).__name__
            raise self._wrong("wsdl", f"{settings.wsdl} is no WSDL that can be understood: {what}") from error

    def _chosen(self, key: str, name: str, known: Mapping[str, Any]) -> Any:
        if name not in known:
            raise self._wrong(key, f"the WSDL has no {key} {name}: choose {_listed(known)}")
        return known[name]

    def _wrong(self, key: str, what: str) -> UnusableSettings:
        return UnusableSettings((*self._here, key), what)


def _answered(operation: Any) -> str:
    """The name of the element, where it is known: of a document in one part. The name of an RPC's is anybody's choice."""
    output: Any = operation.output
    if output is None or operation.style != "document" or output._is_body_wrapped:  # noqa: SLF001 - nothing public tells
        return "*"
    return "*" if output.body is None or output.body.qname is None else output.body.qname.text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
