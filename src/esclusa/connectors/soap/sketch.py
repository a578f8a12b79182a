"""An operation of a WSDL as a configuration to start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ssl import SSLContext
from typing import Any

import msgspec
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding

from esclusa.connectors.http.documents import Documents, shown
from esclusa.connectors.sketch.answer import items, outline
from esclusa.connectors.sketch.offer import Offer, choices, variable
from esclusa.connectors.sketch.page import Page, as_text, visible
from esclusa.connectors.sketch.part import Part, eased
from esclusa.connectors.sketch.question import Asked
from esclusa.connectors.sketch.template import write_template
from esclusa.connectors.soap.description import read
from esclusa.connectors.soap.policy import policy_of
from esclusa.connectors.soap.schema import parts_of
from esclusa.connectors.target import Target

REPLACE = "https://replace.example/"
"""In place of an address that nobody knows."""


class _Kept(Documents):
    """Keeps what it has read, for what zeep does not look at."""

    def __init__(self, start: str, ticks: Callable[[], float], tls: SSLContext | None) -> None:
        super().__init__(start, ticks, tls)
        self.documents: list[bytes] = []

    def load(self, place: str) -> bytes:
        """As in the base."""
        document = super().load(place)
        self.documents.append(document)
        return document


class Called(msgspec.Struct, frozen=True):
    """One operation, where it is first found."""

    offer: Offer
    service: Any
    port: Any
    operation: Any
    others: tuple[str, ...]
    """Names of further ports of its service that have it."""


class Wsdl:
    """A WSDL, with what can be called of it. `ValueError` in words for what is none."""

    def __init__(self, place: str, ticks: Callable[[], float], tls: SSLContext | None) -> None:
        """As `Documents`; reads files and the network, and waits for them."""
        documents = _Kept(place, ticks, tls)
        document = read(place, documents)
        self.place = place
        self.policy = policy_of(documents.documents)
        self._services = list(document.services.values())
        self.operations = list(self._called())
        if not self.operations:
            raise ValueError(f"{place} describes no operation of SOAP over HTTP")

    @property
    def several(self) -> bool:
        """Whether a service has to be chosen."""
        return len(self._services) > 1

    def chosen(self, operation: str) -> Called:
        """The operation of that name. `ValueError`, with what there is."""
        for each in self.operations:
            if each.offer.operation == operation:
                return each
        raise ValueError(f"there is no operation {operation}: choose {choices([each.offer for each in self.operations])}")

    def _called(self) -> Iterator[Called]:
        for service in self._services:
            having: dict[str, list[Any]] = {}
            for port in service.ports.values():
                for name in port.binding.all() if isinstance(port.binding, SoapBinding) else ():
                    having.setdefault(name, []).append(port)
            for name, ports in having.items():
                port, others = ports[0], tuple(each.name for each in ports[1:])
                call = f"{service.name}, {port.name}: SOAP {version_of(port)}"
                full = f"{service.name}/{name}" if self.several else name
                operation = port.binding.all()[name]
                takes = ", ".join(part.name for part in _taken(operation))
                yield Called(Offer(full, call, f"takes {takes or 'nothing'}"), service, port, operation, others)


def version_of(port: Any) -> str:
    """The version of SOAP that a port speaks."""
    return "1.2" if isinstance(port.binding, Soap12Binding) else "1.1"


def sketched(wsdl: Wsdl, called: Called, name: str, file: str) -> str:
    """The configuration of a connector `name`, and a query that asks it: TOML, with comments. `file`: what `wsdl` is to be."""
    page, operation = Page(), called.operation
    parts = _taken(operation)
    asked = Asked(list(_leaves(parts)))
    page.remark(f"{called.service.name}: {operation.name}, by {called.port.name}, in SOAP {version_of(called.port)}")
    page.remark(f"It {called.offer.about}.")
    page.remark(
        f'Written from {shown(wsdl.place)} by "esclusa connector new". What is a guess says so: look at it, then run "esclusa check".'
    )
    asked.admit(page)
    page.blank()
    page.table("connectors", name)
    page.entry("title", as_text(visible(called.service.name) or name))
    page.entry("protocol", "soap")
    remote = file.startswith(("http:", "https:"))
    where = "a copy beside this file is better: then no start waits for it" if remote else "paths start at this file"
    page.entry("wsdl", as_text(file), where)
    page.entry("operation", as_text(operation.name))
    _chosen(page, wsdl, called)
    page.entry("timeout", "5s", "guess: the longest that one attempt may take")
    page.entry("idempotent", value=True, why='guess: take away the "# " if this only asks; then it may be retried', off=True)
    page.entry("retry", {"attempts": 2}, "guess: as above", off=True)
    faults = list(dict.fromkeys(_faults(operation)))
    if faults:
        page.entry(
            "empty",
            [as_text(each) for each in faults[:10]],
            "guess: faults of it; keep those that say that there is nothing",
            off=True,
        )
    if getattr(operation.input, "header", None) is not None and parts_of(getattr(operation.input.header, "type", None)):
        page.remark("guess: it may want a header of SOAP in its envelope, which no connector sends: see functions.")
    answer = _answer(operation)
    outline(page, answer)
    if parts:
        write_template(page, ("connectors", name, "arguments"), parts, asked, typed=False)
    _security(page, wsdl, name)
    items(page, answer, name)
    asked.query(page, name, called.service.name)
    return page.text()


def _chosen(page: Page, wsdl: Wsdl, called: Called) -> None:
    """Service, port and address, as far as they have to be said."""
    if wsdl.several:
        page.entry("service", as_text(called.service.name))
    if len(called.service.ports) > 1:
        others = f"guess: the first that has it; the others are {', '.join(called.others)}" if called.others else None
        page.entry("port", as_text(called.port.name), others)
    address = (called.port.binding_options or {}).get("address") or ""
    try:
        Target(address, {})
    except ValueError:
        page.entry("url", REPLACE, "guess: the WSDL has no address that can be called; write here where the service is")
    else:
        page.remark(f"By the WSDL it is at {address}; url = ... says otherwise.")


def _security(page: Page, wsdl: Wsdl, name: str) -> None:
    policy = wsdl.policy
    if not policy.stated:
        return
    page.blank()
    page.remark("guess: the WSDL has a policy with these; for this operation it may want less.")
    if policy.beyond:
        page.remark(f"guess: it may want {', '.join(policy.beyond)}, which no connector can show: see functions.")
    if policy.username or policy.timestamp:
        page.table("connectors", name, "security")
    if policy.username:
        page.entry("username", variable(name, "user"))
        page.entry("password", variable(name, "password"))
        page.entry(
            "type", "digest" if policy.digest else "text", None if policy.digest else "guess: the policy asks for no digest"
        )
    if policy.timestamp:
        page.entry("timestamp", "5m", "guess: for how long an envelope may be taken as new")
    if policy.signed:
        if not (policy.username or policy.timestamp):
            page.table("connectors", name, "security", off=True)
        files = {"certificate": f"{name}.pem", "key": f"{name}.key"}
        page.entry("sign", files, 'guess: take away the "# " when both files are there', off=True)


def _faults(operation: Any) -> Iterator[str]:
    """What faults of it are known by: the elements in them, which a port's own names for them need not be."""
    for name, message in (getattr(operation.abstract, "fault_messages", None) or {}).items():
        elements = [part.element for part in message.parts.values() if part.element is not None]
        yield from (element.qname.localname for element in elements) if elements else (name,)


def _taken(operation: Any) -> tuple[Part, ...]:
    body = getattr(operation.input, "body", None)
    return eased(parts_of(getattr(body, "type", None)))


def _answer(operation: Any) -> Part:
    """What becomes `data`: what stands alone in the answer's element is that."""
    body = getattr(operation.output, "body", None)
    parts = parts_of(getattr(body, "type", None))
    if len(parts) == 1:
        return msgspec.structs.replace(parts[0], name="")
    return Part("", "table" if parts else "unknown", parts=parts)


def _leaves(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        if part.kind != "table":
            yield part
        yield from _leaves(part.parts)
