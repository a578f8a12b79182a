"""What ties a call to the question that it is made for, in its headers."""

from __future__ import annotations

from collections.abc import Collection

from esclusa.connectors.backend import Question
from esclusa.kernel.ids import Ids

_REQUEST_ID = "x-request-id"
_TRACE = "traceparent"


class Correlation:
    """The question's correlation id in `X-Request-Id`, and as the trace of a W3C `traceparent` of the call's own.

    https://www.w3.org/TR/trace-context/. Headers that a connector's settings have are left to these.
    """

    __slots__ = ("_by_id", "_by_trace", "_ids")

    def __init__(self, given: Collection[str], ids: Ids) -> None:
        """`given`: names of headers that there are already, in lower case."""
        self._by_id = _REQUEST_ID not in given
        self._by_trace = _TRACE not in given
        self._ids = ids

    @property
    def names(self) -> frozenset[bytes]:
        """Of the headers that `fields` gives, in lower case."""
        given = ((_REQUEST_ID, self._by_id), (_TRACE, self._by_trace))
        return frozenset(name.encode() for name, ours in given if ours)

    def fields(self, question: Question) -> list[tuple[bytes, bytes]]:
        """The headers of one call."""
        fields = []
        if self._by_id:
            fields.append((b"X-Request-Id", question.request.encode()))
        if self._by_trace:
            trace = question.request.replace("-", "")
            fields.append((b"traceparent", f"00-{trace}-{self._ids.secret(8).hex()}-01".encode()))
        return fields
