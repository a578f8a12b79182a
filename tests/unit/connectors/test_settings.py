"""What every connector's settings say."""

from __future__ import annotations

from esclusa.connectors.protocols import PROTOCOLS, UNTOLD
from esclusa.connectors.settings import ConnectorSettings


def test_each_protocol_has_its_name_and_one_is_that_of_who_names_none() -> None:
    tags = [settings.__struct_config__.tag for settings in PROTOCOLS]
    assert len(set(tags)) == len(tags)
    assert UNTOLD in tags


def test_whoever_has_no_address_is_always_at_the_same() -> None:
    assert ConnectorSettings().address == ConnectorSettings(title="Another").address
