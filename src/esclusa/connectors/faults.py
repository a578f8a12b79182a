"""What is wrong with the settings of a connector, and where."""

from __future__ import annotations

from collections.abc import Callable

KeyPath = tuple[str, ...]
"""The place of a key in the configuration: `("connectors", "dgt", "headers", "X-Office")`."""
Check = tuple[KeyPath, Callable[[], object]]
"""A key, and what raises `ValueError`, in words, when what it says can't be used."""
