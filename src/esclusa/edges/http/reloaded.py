"""Taking the configuration anew, as far as the edge knows it: what is called, and what comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec


class Reloaded(msgspec.Struct, frozen=True):
    """What a configuration that was taken anew has changed: tables by their names, such as `connectors.dgt`."""

    configuration: str
    """A short hash of the one in force now."""
    added: list[str]
    changed: list[str]
    removed: list[str]


Reload = Callable[[], Awaitable[Reloaded]]
"""Takes the configuration anew, whole; `ConfigurationError`: nothing of it was taken."""
