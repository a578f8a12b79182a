"""Who asks: a program by its key, or the operator of this machine by the local socket."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest

import msgspec
from litestar.types import Scope

from esclusa.edges.http.headers import header
from esclusa.edges.http.settings import ClientSettings, Permission
from esclusa.kernel.errors import Forbidden, Unauthorized

LOCAL = "local"
"""In a scope's `state`: the connection came by the local socket, which only the operator can open."""


class Caller(msgspec.Struct, frozen=True):
    """Somebody who may ask."""

    name: str
    """As the hub knows it: `client:NAME`."""
    permissions: frozenset[Permission]

    def must(self, permission: Permission) -> None:
        """`Forbidden` unless it has `permission`."""
        if permission not in self.permissions:
            raise Forbidden(f"The client lacks the permission {permission!r}")


OPERATOR = Caller("client:local", frozenset({"ask-for-anyone"}))


class Callers:
    """The clients of the configuration, by their keys."""

    def __init__(self, clients: Mapping[str, ClientSettings]) -> None:
        self.change(clients)

    def change(self, clients: Mapping[str, ClientSettings]) -> None:
        """These are known from now on, and no others (H40)."""
        self._known = [
            (_digest(client), Caller(f"client:{name}", frozenset(client.permissions))) for name, client in clients.items()
        ]

    def of(self, scope: Scope) -> Caller:
        """Who sent this request; `Unauthorized` when nobody is known by what it says."""
        if LOCAL in scope["state"]:
            return OPERATOR
        said = header(scope, b"authorization")
        if said is None:
            raise Unauthorized("Send the header Authorization: Bearer KEY")
        scheme, _, key = said.partition(b" ")
        if scheme.lower() != b"bearer":
            raise Unauthorized("The scheme of Authorization is Bearer")
        digest = sha256(key.strip()).digest()
        found = None
        for known, caller in self._known:  # all of them, so that the time taken tells nothing
            if compare_digest(known, digest):
                found = caller
        if found is None:
            raise Unauthorized("No client has this key")
        return found


def _digest(client: ClientSettings) -> bytes:
    if client.key is not None:
        return sha256(client.key.encode()).digest()
    return bytes.fromhex(client.key_sha256 or "")
