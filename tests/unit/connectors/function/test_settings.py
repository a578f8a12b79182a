"""What a function's settings say of where it is."""

from __future__ import annotations

from esclusa.connectors.function import FunctionSettings


def test_its_name_is_its_address() -> None:
    assert FunctionSettings(function="a:b").address == "a:b"
