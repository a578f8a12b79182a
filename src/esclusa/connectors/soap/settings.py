"""What the configuration says of a connector with `protocol = "soap"`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from esclusa.connectors.http.settings import HttpSettings
from esclusa.connectors.settings import ConnectorSettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.settings import FilePath, Secret, Settings


class SignatureSettings(Settings, frozen=True, kw_only=True):
    """With what the body, and the time of sending where there is one, are signed."""

    certificate: FilePath
    """A PEM file."""
    key: FilePath
    """A PEM file with the private key, of RSA."""
    password: Secret | None = None
    """Of the private key, where it has one."""


class SecuritySettings(Settings, frozen=True, kw_only=True):
    """What is shown in WS-Security's header of every envelope."""

    username: str | None = None
    """Of the UsernameToken; none unless given."""
    password: Secret | None = None
    """Of that user."""
    type: Literal["text", "digest"] = "text"
    """How the password is shown: as it is, or as a digest with a nonce and the time."""
    timestamp: Duration | None = None
    """For how long an envelope may be taken as new; unless given, it says nothing of time."""
    sign: SignatureSettings | None = None
    """Nothing is signed unless given."""


class SoapSettings(HttpSettings, frozen=True, kw_only=True, tag="soap"):
    """A SOAP service, 1.1 or 1.2, as its WSDL describes it."""

    templates: ClassVar[tuple[str, ...]] = ("url", "headers", "arguments", *ConnectorSettings.templates)

    wsdl: FilePath
    """A file or a URL, read once, when the connector is made."""
    operation: str
    """What is called."""
    service: str | None = None
    """Which one of the WSDL; needed where there are several."""
    port: str | None = None
    """Which one of the service; its first of SOAP unless given."""
    arguments: dict[str, Any] = {}
    """What the operation takes, by name, with placeholders; left out when a placeholder in a text has no value."""
    url: str | None = None
    """Where it is, in place of the WSDL's address; with placeholders."""
    security: SecuritySettings | None = None
    """WS-Security; none unless given."""
    empty: list[str] = []
    """Codes of faults, or names of elements in their details, that say that there is nothing about the subject."""
    idempotent: bool = False
    """Whether it may be asked again, or cut, without harm."""

    @property
    def address(self) -> str:
        """As in the base."""
        return self.url or f"{self.wsdl}#{self.service or ''}.{self.port or ''}"
