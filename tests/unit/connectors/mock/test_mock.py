"""A body that doesn't exist yet has a connector all the same (H10)."""

from __future__ import annotations

from esclusa.connectors.assembly import faults
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.mock import MOCK, MockBackend, MockedSettings
from esclusa.connectors.protocol import Workshop
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids


async def test_it_needs_nothing_but_its_name() -> None:
    clock = Clock()
    backend = MOCK.make("new", MockedSettings(), None, Workshop(clock, Ids(clock), 1000, Contexts()))
    assert isinstance(backend, MockBackend)
    assert faults("new", MockedSettings()) == []
