"""A configuration that needs nothing outside, and the parts of what is made from it."""

from __future__ import annotations

from typing import Any

import msgspec

from esclusa.config.settings import Configuration, EsclusaSettings
from esclusa.edges.http.settings import ServerSettings
from support.hub import configuration


def memory(settings: Configuration | None = None, **engines: Any) -> Configuration:
    """`settings` on the engine `memory`, and on a port of its own."""
    return msgspec.structs.replace(
        settings or configuration(),
        esclusa=EsclusaSettings(**{"engine": "memory", **engines}),
        server=ServerSettings(listen="127.0.0.1:0"),
    )


def flat(parts: Any) -> list[Any]:
    """One after the other, those that start and end together too."""
    return [each for part in parts for each in (part if isinstance(part, list | tuple) else [part])]


def names(parts: Any) -> list[str]:
    return [type(part).__name__ for part in flat(parts)]
