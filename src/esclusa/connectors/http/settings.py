"""What the configuration says of connectors whose back end is reached over HTTP, whatever they say there."""

from __future__ import annotations

from esclusa.connectors.settings import ConnectorSettings
from esclusa.kernel.settings import FilePath, Settings


class TlsSettings(Settings, frozen=True, kw_only=True):
    """How the back end's certificate is checked."""

    ca: FilePath | None = None
    """A PEM file of authorities to trust instead of the system's."""
    name: str | None = None
    """The name that the certificate must bear, where it is not the URL's host."""


class HttpSettings(ConnectorSettings, frozen=True, kw_only=True):
    """A back end at a URL."""

    headers: dict[str, str] = {}
    """Headers to add, with placeholders."""
    tls: TlsSettings = TlsSettings()
    """Whom to trust, of an `https` address."""
