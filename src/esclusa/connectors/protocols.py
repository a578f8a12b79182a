"""The protocols there are: the one list of them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from esclusa.connectors.function import FUNCTION, FunctionSettings
from esclusa.connectors.mock import MOCK, MockedSettings
from esclusa.connectors.protocol import ConnectorProtocol
from esclusa.connectors.rest import REST, RestSettings
from esclusa.connectors.soap import SOAP, SoapSettings
from esclusa.connectors.tcp import TCP, TcpSettings

UNTOLD = "rest"
"""The protocol of a connector that names none."""
AnyConnectorSettings = Annotated[
    RestSettings | FunctionSettings | MockedSettings | SoapSettings | TcpSettings,
    Meta(extra={"protocol": UNTOLD}),
]
"""The settings of a connector of any protocol."""
PROTOCOLS: dict[type[Any], ConnectorProtocol[Any]] = {each.settings: each for each in (REST, FUNCTION, MOCK, SOAP, TCP)}
"""By the type of their settings."""
