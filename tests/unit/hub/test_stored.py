"""The stored formats are final: what was written by this version is read by every later one, byte for byte."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esclusa.connectors.backend import Reason
from esclusa.hub.stored import (
    AnswerHead,
    AnswerPart,
    Answers,
    Asked,
    Cancelled,
    Envelope,
    RequestHead,
    SealHead,
    SubmissionHead,
    Times,
    Woken,
    decode,
    encode,
)
from esclusa.kernel.errors import Unreadable

TIMES = Times(1, 2, 3, 4)
ID = b"i" * 16
SAMPLES = [
    (
        Asked("client:me", "q", "12345678Z", {"province": "28"}),
        "94a9636c69656e743a6d65a171a931323334353637385a81a870726f76696e6365a23238",
    ),
    (
        Envelope(1, ID, TIMES, ["a", "b"], b"sealed", 8000, keyed=True),
        "9701c41069696969696969696969696969696969940102030492a161a162c4067365616c6564cd1f40c3",
    ),
    (
        Answers(
            1,
            ID,
            4,
            [
                AnswerPart("a", None, "", 1, 20, b"s"),
                AnswerPart("b", Reason.BACKEND_ERROR, "It failed", 2, 30, b""),
            ],
        ),
        "9401c41069696969696969696969696969696969049296a161c0a00114c4017396a162ad6261636b656e645f6572726f72a94974206661696c6564021ec400",
    ),
    (RequestHead(1, TIMES, ["a", "b"]), "9301940102030492a161a162"),
    (AnswerHead(Reason.CIRCUIT_OPEN, "Left alone", 0, 0, 5), "95ac636972637569745f6f70656eaa4c65667420616c6f6e65000005"),
    (SealHead(["a"]), "9191a161"),
    (
        SubmissionHead(ID, TIMES, ["a"], {"p": ["a"]}),
        "94c41069696969696969696969696969696969940102030491a16181a17091a161",
    ),
    (Woken({ID: 2}), "9181c4106969696969696969696969696969696902"),
    (Cancelled(ID, 4), "92c4106969696969696969696969696969696904"),
]


@pytest.mark.parametrize(("value", "stored"), SAMPLES, ids=lambda sample: type(sample).__name__)
def test_it_is_written_so_and_read_back(value: Any, stored: str) -> None:
    assert encode(value).hex() == stored
    assert decode(type(value), bytes.fromhex(stored)) == value


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    fields = msgspec.msgpack.decode(encode(RequestHead(1, TIMES, ["a"])))
    assert decode(RequestHead, encode([*fields, "new"])) == RequestHead(1, TIMES, ["a"])


def test_an_envelope_of_before_idempotency_keys_is_read() -> None:
    fields = msgspec.msgpack.decode(encode(Envelope(1, ID, TIMES, ["a"], b"s", 8000)))
    assert decode(Envelope, encode(fields[:6])) == Envelope(1, ID, TIMES, ["a"], b"s", 8000, keyed=False)


@pytest.mark.parametrize("stored", [b"", b"\xc1", b"\x90", encode(["x"] * 6), encode({"version": 1})])
def test_anything_else_is_unreadable(stored: bytes) -> None:
    for kind in (Asked, Envelope, Answers, RequestHead, AnswerHead, SubmissionHead):
        with pytest.raises(Unreadable):
            decode(kind, stored)


@pytest.mark.parametrize(
    "stored",
    [Envelope(2, ID, TIMES, ["a"], b"", 1), Answers(2, ID, 4, []), RequestHead(2, TIMES, ["a"])],
    ids=["envelope", "answers", "request"],
)
def test_what_a_newer_version_means_otherwise_is_not_read_as_if_it_were_ours(stored: Any) -> None:
    with pytest.raises(Unreadable, match="version 2"):
        decode(type(stored), encode(stored))
