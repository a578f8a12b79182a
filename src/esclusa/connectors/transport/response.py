"""What a back end answered over HTTP."""

from __future__ import annotations

import re

import msgspec

_CHARSET = re.compile(rb';\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)


class Response(msgspec.Struct, frozen=True, gc=False):
    """One complete answer of any status: a 404 or a redirect is an answer like another."""

    status: int
    """200 to 999."""
    headers: list[tuple[bytes, bytes]]
    """Fields in order, names in lower case, as they came; trailers are left out."""
    body: bytes
    """Without transfer and content coding; empty for HEAD, 204 and 304."""

    def header(self, name: bytes) -> bytes | None:
        """The value of the first field of this `name` (in lower case)."""
        for field, value in self.headers:
            if field == name:
                return value
        return None

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters: `application/json`; empty when none is named."""
        return (self.header(b"content-type") or b"").partition(b";")[0].strip().lower().decode("latin-1")

    @property
    def charset(self) -> str | None:
        """The charset that the content type names, in lower case, known or not; None when it names none."""
        match = _CHARSET.search(self.header(b"content-type") or b"")
        return None if match is None else ((match[1] or match[2] or b"").strip().lower().decode("latin-1") or None)
