"""`protocol = "mock"`: a connector that has no back end yet."""

from __future__ import annotations

from esclusa.connectors.faults import Check
from esclusa.connectors.mock.backend import MockBackend
from esclusa.connectors.protocol import ConnectorProtocol, Workshop
from esclusa.connectors.settings import ConnectorSettings, CredentialsSettings, MockSettings


class MockedSettings(ConnectorSettings, frozen=True, kw_only=True, tag="mock"):
    """A back end that doesn't exist yet: its table `mock` says what it does."""

    mock: bool | MockSettings = True
    """What the made-up back end does."""


def _make(name: str, settings: MockedSettings, _: CredentialsSettings | None, workshop: Workshop) -> MockBackend:
    return MockBackend(name, settings, workshop)


def _checks(*_: object) -> list[Check]:
    return []  # of what is made up, everything is looked at for any connector


MOCK = ConnectorProtocol(MockedSettings, _checks, _make)
"""Nothing real."""
