"""The stored formats are final: what was written by this version is read by every later one, byte for byte.

tests/samples has what was written; its README says when to add to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from esclusa.connectors.backend import Reason
from esclusa.hub.presence import ConnectorState, ProcessReport
from esclusa.hub.stored import (
    VERSION,
    AnswerHead,
    Answers,
    Cancelled,
    Envelope,
    PackHead,
    RequestHead,
    SealHead,
    Stored,
    SubmissionHead,
    Times,
    UserQuestion,
    Versioned,
    Woken,
    decode,
    encode,
)
from esclusa.kernel.errors import Unreadable

SAMPLES = Path(__file__).parents[2] / "samples"
TIMES = Times(1_795_000_000_000, 1_795_000_059_000, 1_795_000_060_000, 1_795_000_600_000)
ID = bytes(range(16))
HEADS = [
    AnswerHead("a", None, "", 1, 20, 6),
    *(AnswerHead(f"b{number}", reason, "In our words", 2, 30, 0) for number, reason in enumerate(Reason)),
]
KNOWN: dict[type[Stored], Stored] = {
    type(value): value
    for value in (
        UserQuestion("client:me", "q", "12345678Z", {"province": "28"}),
        Envelope(1, ID, TIMES, ["a", "b"], b"sealed", 8000),
        Answers(1, ID, TIMES.expires, HEADS, b"sealed"),
        RequestHead(1, TIMES, ["a", "b"], b"sealed"),
        PackHead(TIMES.created, HEADS),
        SealHead(["a"]),
        SubmissionHead(ID, TIMES, ["a", "b"], {"p": ["a"], "q": ["b"]}),
        Woken({ID: 2}),
        Cancelled(ID, TIMES.expires),
        ProcessReport(
            "0195",
            "0.1.0",
            TIMES.created,
            TIMES.deadline,
            ["hub"],
            ["default"],
            "c0ffee",
            [ConnectorState("a", "half_open", 1, 2)],
        ),
    )
}
"""A value of everything that is stored by itself: what the newest sample of its kind says."""
WITHIN = {Versioned, Times, AnswerHead, ConnectorState}
"""What is only ever part of others."""
EARLIER: dict[str, dict[str, object]] = {}
"""Of samples that are not the newest of their kind: what a field says now that they don't have."""


def samples() -> list[str]:
    """Every one, the oldest of a kind first."""
    return sorted((path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("v*/*.bin")), key=order)


def order(sample: str) -> tuple[str, int, int]:
    found = re.fullmatch(r"v(\d+)/(\w+)\.(\d+)\.bin", sample)
    assert found is not None, sample
    return found[2], int(found[1]), int(found[3])


def kinds(of: type[Stored]) -> Iterator[type[Stored]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("sample", samples())
def test_what_was_written_once_is_read_for_ever(sample: str) -> None:
    kind = next(kind for kind in KNOWN if kind.__name__ == order(sample)[0])
    said = decode(kind, (SAMPLES / sample).read_bytes())
    assert said == msgspec.structs.replace(KNOWN[kind], **EARLIER.get(sample, {}))


@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: kind.__name__)
def test_what_is_written_today_is_the_newest_sample(kind: type[Stored]) -> None:
    mine = [sample for sample in samples() if order(sample)[0] == kind.__name__]
    today = encode(KNOWN[kind])
    last = order(mine[-1])[2] if mine else 0
    newest = (SAMPLES / mine[-1]).read_bytes() if mine else b""
    assert newest == today, (
        f"another form, see {SAMPLES / 'README.md'}: v{VERSION}/{kind.__name__}.{last + 1}.bin = {today.hex()}"
    )


def test_everything_that_is_stored_has_its_sample() -> None:
    assert {kind for kind in kinds(Stored) if kind.__module__.startswith("esclusa.")} == KNOWN.keys() | WITHIN


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    for kind, value in KNOWN.items():
        assert decode(kind, encode([*msgspec.msgpack.decode(encode(value)), "new"])) == value


@pytest.mark.parametrize("stored", [b"", b"\xc1", b"\x90", encode(["x"] * 6), encode({"version": 1})])
def test_anything_else_is_unreadable(stored: bytes) -> None:
    for kind in (UserQuestion, Envelope, Answers, RequestHead, PackHead, SubmissionHead):
        with pytest.raises(Unreadable):
            decode(kind, stored)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Envelope, {"id": b"short"}),
        (Answers, {"id": bytes(17)}),
        (Cancelled, {"id": b""}),
        (SubmissionHead, {"id": b""}),
        (Answers, {"expires": 1 << 63}),
        (Cancelled, {"expires": -1}),
        (Envelope, {"times": msgspec.structs.replace(TIMES, created=-1)}),
        (RequestHead, {"times": msgspec.structs.replace(TIMES, expires=1 << 53)}),
    ],
)
def test_what_is_no_id_and_no_time_is_unreadable(kind: type[Stored], change: dict[str, Any]) -> None:
    """No storage could take it, and who tried would die of it, time and again."""
    with pytest.raises(Unreadable):
        decode(kind, encode(msgspec.structs.replace(KNOWN[kind], **change)))


@pytest.mark.parametrize("kind", [kind for kind in KNOWN if issubclass(kind, Versioned)], ids=lambda kind: kind.__name__)
def test_what_a_newer_version_means_otherwise_is_not_read_as_if_it_were_ours(kind: type[Stored]) -> None:
    same: Any = msgspec.structs.replace(KNOWN[kind], version=VERSION + 1)
    for stored in (same, [VERSION + 1, "another form"], [VERSION + 1]):
        with pytest.raises(Unreadable, match=f"^a stored {kind.__name__} of version 2: this program knows 1$"):
            decode(kind, encode(stored))
