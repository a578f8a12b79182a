"""What a protocol is to the rest: settings, what can be wrong with them, and back ends made of them.

A protocol adds one module or package beside this one, with its settings and a `ConnectorProtocol`, and its line in
`esclusa.connectors.protocols`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from esclusa.connectors.backend import Backend
from esclusa.connectors.faults import Check
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.http.oauth2 import TokenSources
from esclusa.connectors.settings import ConnectorSettings, CredentialsSettings
from esclusa.connectors.tap import Tap
from esclusa.connectors.transform import Transform, transform_of
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids

S = TypeVar("S", bound=ConnectorSettings)


class Workshop(msgspec.Struct, frozen=True):
    """What back ends are made with."""

    clock: Clock
    ids: Ids
    max_answer: int
    """Bytes of data beyond which an answer is too large."""
    contexts: Contexts
    """Shared by all that are made, because they are costly."""
    tokens: TokenSources = msgspec.field(default_factory=TokenSources)
    """Shared by all that are made: who shows the same credentials shows the same token."""
    prepared: dict[str, Any] = msgspec.field(default_factory=dict)
    """What `ConnectorProtocol.prepare` has made, or the `UnusableSettings` that it raised, by the name of the connector."""
    tap: Tap | None = None
    """Where one call is looked at: protocols tell it what they send, and what comes."""

    def transform(self, settings: ConnectorSettings) -> Transform | None:
        """What a connector's settings make of its answers; None: they pass whole. `ValueError` as in `compiled`."""
        transform = transform_of(settings)
        return transform if transform is None or self.tap is None else partial(_seen, transform, self.tap)


_NAMED = 8
"""Names that are told, of those at the top of an answer."""


def _seen(transform: Transform, tap: Tap, answer: bytes) -> bytes | None:
    try:
        made = transform(answer)
    except Exception as error:
        tap.raised("untransformed", error, answer)
        raise
    tap.saw("transformed", _doubt(answer) if made is None else "", made or b"null")
    return made


def _doubt(answer: bytes) -> str:
    """What there is to say where nothing was made of an `answer` that has something."""
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return ""
    if not found:
        return ""
    names = f"{', '.join(list(found)[:_NAMED])}" if isinstance(found, dict) else "a list" if isinstance(found, list) else "text"
    return f"nothing, of an answer that has {names}: is the path right?"


class ConnectorProtocol(msgspec.Struct, Generic[S], frozen=True):
    """One way to speak to back ends."""

    settings: type[S]
    """Tagged with the protocol's name."""
    checks: Callable[[str, S, CredentialsSettings | None], Iterable[Check]]
    """What is to be looked at in the settings of a connector, by its name. Nothing is read and nothing connected for it."""
    make: Callable[[str, S, CredentialsSettings | None, Workshop], Backend]
    """What the connector of that name asks; it connects when it first is. Inside a running event loop. `UnusableSettings`."""
    prepare: Callable[[str, S, Workshop], object] | None = None
    """What takes long and needs no loop, such as reading a description: done in a thread while calls are in flight. `make`
    finds it in `Workshop.prepared`, or does it itself. `UnusableSettings`."""
