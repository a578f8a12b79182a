"""What the configuration says of the HTTP edge: `[server]` and `[clients.NAME]`."""

from __future__ import annotations

from typing import Literal

from esclusa.kernel.duration import Duration
from esclusa.kernel.settings import Positive, Secret, Settings

Permission = Literal["ask-for-anyone"]


class ServerSettings(Settings, frozen=True, kw_only=True):
    """Where and within what limits HTTP is served."""

    listen: str = "127.0.0.1:8080"
    """`HOST:PORT`; `[::]:8080` for IPv6; port 0 takes a free one."""
    admin: str | None = None
    """Where metrics and the reasons of health are served; on `listen`, for all who reach it, unless given."""
    max_connections: Positive = 2000
    """Open at a time; beyond, a new one is closed at once."""
    max_connections_per_address: Positive = 200
    """Of one address, likewise; behind a proxy every connection is of the proxy's."""
    header_timeout: Duration = Duration(5)
    """From the first byte of a request to the last of its headers."""
    body_timeout: Duration = Duration(10)
    """From the last of a request's headers to the last byte of its body; a reader who takes nothing for as long is cut off."""
    max_header: Positive = 32 * 1024
    """Bytes of a request's line and headers; beyond: 431."""
    max_body: Positive = 64 * 1024
    """Bytes of a request's body; beyond: 413."""
    max_unsent: Positive = 256 * 1024 * 1024
    """Bytes of answers that their readers have not taken yet, in all; results that would go beyond: 503. At least 8 MiB, the
    largest there can be."""


class ClientSettings(Settings, frozen=True, kw_only=True):
    """A program that asks for its own users."""

    key: Secret | None = None
    """What it sends as `Authorization: Bearer KEY`; at least 16 characters. Or:"""
    key_sha256: str | None = None
    """The key's SHA-256 in hexadecimal, so that the file holds no secret."""
    permissions: list[Permission] = []
    """`ask-for-anyone`: whoever it names is the subject."""
