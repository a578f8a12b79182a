"""The links in the header of an answer (RFC 8288)."""

from __future__ import annotations

import re

from esclusa.connectors.transport import Response

_PARAMETER = r';\s*+([^\s=;,"<>]++)\s*+(?:=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s;,"]*+)))?+\s*+'
_LINK = re.compile(rf"<([^<>]*+)>\s*+((?:{_PARAMETER})*+)")
_EACH = re.compile(_PARAMETER)


def next_link(response: Response) -> str | None:
    """Where the next page of `response` is, as it says it: the target of the first link with `rel=next`."""
    for name, value in response.headers:
        if name == b"link":
            for link in _LINK.finditer(value.decode("latin-1")):
                if "next" in _relations(link[2]):
                    return link[1]
    return None


def _relations(parameters: str) -> list[str]:
    for name, quoted, plain in _EACH.findall(parameters):
        if name.lower() == "rel":
            return (quoted or plain).lower().split()  # type: ignore[no-any-return]  # findall has no types
    return []
