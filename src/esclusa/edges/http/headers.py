"""What a request's headers and query say, read by the rules of their standards."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import parse_qsl

from litestar.types import Scope

from esclusa.kernel.errors import Fault, Malformed

LONGEST_WAIT = 30
"""Seconds that `Prefer: wait` may hold an answer."""
_WAIT = re.compile(r'wait\s*=\s*"?(\d{1,9})"?\s*(;.*)?', re.IGNORECASE | re.ASCII)
_ETAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
KEY = r"[\x20-\x7e]*[\x21\x23-\x7e][\x20-\x7e]*"
"""An `Idempotency-Key`: printable ASCII, not only spaces and quotes."""
LONGEST_KEY = 255


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of a header, the first where there are several; `name` in lower case."""
    for found, value in scope["headers"]:
        if found == name:
            return value
    return None


def joined(scope: Scope, name: bytes) -> str:
    """All values of a header that is a list, as one; empty when there is none."""
    return ", ".join(value.decode("latin-1") for found, value in scope["headers"] if found == name)


def wait_of(scope: Scope) -> int | None:
    """How many seconds the caller prefers to wait (RFC 7240), at most `LONGEST_WAIT`; None: answer at once.

    A preference that can't be read is no preference, as the standard has it.
    """
    for preference in joined(scope, b"prefer").split(","):
        match = _WAIT.fullmatch(preference.strip())
        if match is not None:
            return min(int(match[1]), LONGEST_WAIT)
    return None


def tags_of(scope: Scope) -> Collection[str] | None:
    """The tags of `If-None-Match` (RFC 9110), compared weakly; `{"*"}` for any; None when there is no such header."""
    said = joined(scope, b"if-none-match")
    if not said:
        return None
    return {"*"} if said.strip() == "*" else set(_ETAG.findall(said))


def idempotency_key_of(scope: Scope) -> str | None:
    """The `Idempotency-Key`: up to 255 printable characters, with or without quotes; `Malformed` when it is another."""
    said = [value for found, value in scope["headers"] if found == b"idempotency-key"]
    if not said:
        return None
    key = said[0].decode("latin-1")
    if len(said) > 1 or len(key) > LONGEST_KEY or not re.fullmatch(KEY, key):
        raise Malformed(f"Idempotency-Key: one value of 1 to {LONGEST_KEY} printable ASCII characters")
    return key


def data_of(scope: Scope) -> bool:
    """`?data=false` asks for heads only; `Malformed` for what is neither `true` nor `false`."""
    values = [value for name, value in _query(scope) if name == "data"]
    if values not in ([], ["true"], ["false"]):
        raise Malformed(faults=(Fault("", "data: true or false, once"),))
    return values != ["false"]


def check_query(scope: Scope, known: Sequence[str]) -> None:
    """`Malformed`, with a fault each, for query parameters that are not `known`: they would not do what somebody expects."""
    unknown = dict.fromkeys(name for name, _ in _query(scope) if name not in known)
    if unknown:
        taken = f"this address takes {', '.join(known)}" if known else "this address takes none"
        raise Malformed(faults=tuple(Fault("", f"there is no parameter {name!r}: {taken}") for name in unknown))


def _query(scope: Scope) -> list[tuple[str, str]]:
    said = scope["query_string"]
    return parse_qsl(said.decode("latin-1"), keep_blank_values=True) if said else []
