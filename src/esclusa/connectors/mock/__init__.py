"""Made-up back ends, for bodies that don't exist yet or must not be asked (H10)."""

from esclusa.connectors.mock.backend import MockBackend
from esclusa.connectors.mock.mock import MOCK, MockedSettings

__all__ = ["MOCK", "MockBackend", "MockedSettings"]
