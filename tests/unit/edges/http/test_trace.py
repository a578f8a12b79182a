"""The trace of a request: W3C Trace Context (G4, P12)."""

from __future__ import annotations

import re

import pytest

from esclusa.edges.http.trace import trace_of
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids

THEIRS = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_callers_trace_goes_on_under_a_span_of_ours() -> None:
    trace = trace_of(f"00-{THEIRS}-00f067aa0ba902b7-01".encode(), Ids(Clock()))
    assert trace.id == THEIRS
    assert trace.flags == "01"
    assert trace.span != "00f067aa0ba902b7"
    assert trace.response == f"00-{THEIRS}-{trace.span}-01".encode()


async def test_who_sends_none_gets_a_new_one_each_time() -> None:
    ids = Ids(Clock())
    first, second = trace_of(None, ids), trace_of(None, ids)
    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-00", first.response)
    assert first.id != second.id


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "garbage",
        f"00-{THEIRS.upper()}-00f067aa0ba902b7-01",
        f"ff-{THEIRS}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{THEIRS}-{'0' * 16}-01",
        f"00-{THEIRS}-00f067aa0ba902b7",
        f"00-{THEIRS}-00f067aa0ba902b7-01-more",
    ],
)
async def test_what_is_not_valid_is_not_followed(parent: str) -> None:
    assert trace_of(parent.encode(), Ids(Clock())).id not in {THEIRS, THEIRS.upper(), "0" * 32}


async def test_a_later_version_is_read_by_what_is_known_of_it() -> None:
    assert trace_of(f"01-{THEIRS}-00f067aa0ba902b7-01-more".encode(), Ids(Clock())).id == THEIRS
