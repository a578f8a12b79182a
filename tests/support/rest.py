"""The settings of a REST connector."""

from __future__ import annotations

from esclusa.config.config import Configuration
from esclusa.connectors.rest import RestSettings


def rest(configuration: Configuration, name: str) -> RestSettings:
    """Those of the connector `name`."""
    settings = configuration.connectors[name]
    assert isinstance(settings, RestSettings)
    return settings
