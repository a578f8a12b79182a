"""One question to a connector again and again, by protocol: what it takes to ask, to carry, and to make data of the answer."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from bench.hosts import Hosts
from bench.load import Cost
from bench.questions import QUERY, url
from bench.stages import offered
from esclusa.config.settings import Configuration
from esclusa.connectors.protocols import AnyConnectorSettings
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import ItemsSettings
from esclusa.connectors.soap import SoapSettings
from esclusa.connectors.tcp import TcpSettings
from esclusa.hub.settings import QuerySettings

WIDTH = 64
"""Calls in the air."""

Asked = Callable[[str, Hosts, float], Coroutine[Any, Any, Cost]]
"""Asks for so many seconds: the address of a back end over HTTP, and the hosts of other kinds."""


async def rest(address: str, hosts: Hosts, seconds: float, **further: Any) -> Cost:  # noqa: ARG001 - as the others
    """JSON over HTTP."""
    return await _asked(RestSettings(url=url(address, 0), concurrency=WIDTH, **further), seconds)


async def soap(address: str, hosts: Hosts, seconds: float) -> Cost:  # noqa: ARG001 - as the others
    """SOAP 1.1."""
    settings = SoapSettings(
        wsdl=hosts.wsdl,
        operation="Ask",
        arguments={"subject": "{subject}"},
        url=url(hosts.soap, 0),
        concurrency=WIDTH,
    )
    return await _asked(settings, seconds)


async def tcp(address: str, hosts: Hosts, seconds: float) -> Cost:  # noqa: ARG001 - as the others
    """A line for a line."""
    settings = TcpSettings(
        host="127.0.0.1",
        port=hosts.lines,
        request="ASK {subject}\n",
        answer="FOUND {took};{expediente}",
        concurrency=WIDTH,
    )
    return await _asked(settings, seconds)


async def _asked(settings: AnyConnectorSettings, seconds: float) -> Cost:
    configuration = Configuration(connectors={"body": settings}, queries={QUERY: QuerySettings()})
    return await offered(configuration, WIDTH, seconds)


PROTOCOLS: Mapping[str, Asked] = {
    "REST": rest,
    "REST, with a `transform`": partial(rest, transform="{found: found, took: took}"),
    "REST, with `items`": partial(rest, items=ItemsSettings(source="expedientes", label="@")),
    "TCP, lines": tcp,
    "SOAP 1.1": soap,
}
"""Who is asked how; the first is what the others stand beside."""
