"""Esclusa: a lock between an application and the systems that it depends on and does not control.

    kernel/         time, ids, errors, lifecycle: what everybody needs
    ports/          contracts of storage; engines/ implement them
    connectors/     one back end each, under policies
    hub/            ask many back ends once, see the answers as they come
    edges/          HTTP
    observability/  what log lines and metrics look like
    config/         one file and the environment: every setting
    bootstrap/      wires everything; cli/ is the command line above it
    demo/           a country of made-up bodies, to see it all at work
    testing/        virtual time and the exams of the ports, for your tests too

In your own program:

    async with esclusa.open_hub("esclusa.toml") as hub:
        receipt = await hub.submit(esclusa.Submission(caller="client:me", query="expedientes", subject="12345678Z"))
        snapshot = await hub.wait(receipt.id, "client:me", seconds=10)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esclusa.bootstrap import open_hub
    from esclusa.connectors.backend import Reason
    from esclusa.hub.hub import Hub
    from esclusa.hub.snapshot import Answer, Snapshot
    from esclusa.hub.submission import Receipt, Submission
    from esclusa.kernel.errors import (
        ConfigurationError,
        EsclusaError,
        NotFound,
        PartDied,
        Refused,
        StorageError,
        Unavailable,
    )

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "ConfigurationError",
    "EsclusaError",
    "Hub",
    "NotFound",
    "PartDied",
    "Reason",
    "Receipt",
    "Refused",
    "Snapshot",
    "StorageError",
    "Submission",
    "Unavailable",
    "open_hub",
]

_WHERE = {
    "open_hub": "esclusa.bootstrap",
    "Hub": "esclusa.hub.hub",
    "Answer": "esclusa.hub.snapshot",
    "Snapshot": "esclusa.hub.snapshot",
    "Receipt": "esclusa.hub.submission",
    "Submission": "esclusa.hub.submission",
    "ConfigurationError": "esclusa.kernel.errors",
    "EsclusaError": "esclusa.kernel.errors",
    "NotFound": "esclusa.kernel.errors",
    "PartDied": "esclusa.kernel.errors",
    "Reason": "esclusa.connectors.backend",
    "Refused": "esclusa.kernel.errors",
    "StorageError": "esclusa.kernel.errors",
    "Unavailable": "esclusa.kernel.errors",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that `import esclusa` costs nothing."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'esclusa' has no attribute {name!r}")
