"""Where a back end is: scheme, host and port."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec

Scheme = Literal["http", "https"]

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?")
_LONGEST = 253
"""Characters of a name in the DNS (RFC 1035)."""


class Origin(msgspec.Struct, frozen=True):
    """One back end as HTTP sees it (RFC 9110, 4.3). Made by `of` from a URL, or from its three parts."""

    scheme: Scheme
    host: str
    """A name in lower case and ASCII (IDNA), or an address; an IPv6 one without brackets."""
    port: int

    def __post_init__(self) -> None:
        if self.scheme not in get_args(Scheme):
            raise ValueError(f"{self.scheme!r} is not a scheme that can be called: write http or https")
        if not 0 < self.port < 1 << 16:
            raise ValueError(f"{self.port} is not a port: 1 to 65535")
        if ":" in self.host:
            try:
                IPv6Address(self.host)
            except ValueError:
                raise ValueError(f"{self.host!r} is not an IPv6 address") from None
        elif len(self.host) > _LONGEST or not _NAME.fullmatch(self.host):
            raise ValueError(f"{self.host!r} is not the name of a host")

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an absolute `http` or `https` URL; `ValueError` in words for anything else.

        A name with letters beyond ASCII is put into its IDNA form. User and password in a URL are refused: they would be
        dropped in silence.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{url!r} is not an absolute http or https URL")
        if "@" in parts.netloc:
            raise ValueError(f"the URL of {parts.hostname!r} has a user in it: credentials have a place of their own")
        try:
            host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError(f"{parts.hostname!r} is not the name of a host") from None
        port = parts.port  # ValueError in words for what is no number
        return cls("https" if parts.scheme == "https" else "http", host, _PORTS[parts.scheme] if port is None else port)

    @property
    def authority(self) -> str:
        """What the `Host` field says: the port is left out where the scheme implies it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"
