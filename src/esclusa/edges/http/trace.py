"""Which trace an answer belongs to: W3C Trace Context, in and out.

A caller that sends `traceparent` keeps its trace id, whatever we answer; any other gets a new one. Every answer says it in
`traceresponse` (the answer's side of the same standard: `00-TRACE-SPAN-FLAGS`), and every problem in `traceId`.
"""

from __future__ import annotations

import re

import msgspec

from esclusa.kernel.ids import Ids

_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE = b"0" * 32
_NO_SPAN = b"0" * 16


class Trace(msgspec.Struct, frozen=True, gc=False):
    """One request's place in a trace."""

    id: str
    """32 hexadecimal digits."""
    span: str
    """This request: 16 hexadecimal digits."""
    flags: str = "00"
    """As the caller sent them: `01` when it records this trace."""

    @property
    def response(self) -> bytes:
        """The value of `traceresponse`."""
        return f"00-{self.id}-{self.span}-{self.flags}".encode()


def trace_of(parent: bytes | None, ids: Ids) -> Trace:
    """The trace that the header `traceparent` names; a new one when there is none or it is not valid."""
    if parent is not None:
        match = _PARENT.fullmatch(parent)
        if match is not None and match[1] != _NO_TRACE and match[2] != _NO_SPAN and (match[4] is None or parent[:2] != b"00"):
            return Trace(match[1].decode(), ids.secret(8).hex(), match[3].decode())
    fresh = ids.secret(24).hex()
    return Trace(fresh[:32], fresh[32:])
