"""Where one message ends and the next begins."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.tcp.framing import Frame, FrameError, frame_of
from esclusa.connectors.tcp.settings import (
    CloseSettings,
    DelimiterSettings,
    FixedSettings,
    FrameSettings,
    FunctionFrameSettings,
    LengthSettings,
)

MOST = 1000


def frame(settings: FrameSettings) -> Frame:
    return frame_of(settings, "utf-8", MOST)


FRAMES: list[FrameSettings] = [
    DelimiterSettings(),
    DelimiterSettings(delimiter="\r\nEND\r\n"),
    LengthSettings(),
    LengthSettings(size=2, order="little", whole=True),
    LengthSettings(size=5, order="digits"),
    FixedSettings(size=20),
]


@pytest.mark.parametrize("settings", FRAMES)
@given(message=st.binary(max_size=20).filter(lambda each: b"\n" not in each), rest=st.binary(max_size=3))
def test_what_is_sent_is_what_is_found_and_no_byte_more(settings: FrameSettings, message: bytes, rest: bytes) -> None:
    one = frame(settings)
    wrapped = one.wrap(message)
    found = one.find(wrapped + rest)
    assert found is not None
    begin, end, following = found
    assert (wrapped + rest)[begin:end].ljust(20) == message.ljust(20)
    assert (wrapped + rest)[following:] == rest
    for cut in range(len(wrapped)):
        assert one.find(wrapped[:cut]) is None
        assert one.closed(wrapped[:cut]) is None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16", "utf-32-be"])
def test_a_delimiter_is_one_of_characters_and_not_of_halves_of_two(encoding: str) -> None:
    one = frame_of(DelimiterSettings(), encoding, MOST)
    text = "\u0a06\u0100\n".encode("utf-16-le" if encoding == "utf-16" else encoding)
    found = one.find(text + b"rest")
    assert found is not None
    assert (found[1], found[2]) == (len(text) * 2 // 3, len(text))
    assert one.wrap(text) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-be"])
@given(text=st.text("a\u0a0a\u0a00\r\n"), cuts=st.lists(st.integers(0, 40)))
def test_in_pieces_the_same_is_found(encoding: str, text: str, cuts: list[int]) -> None:
    one = frame_of(DelimiterSettings(delimiter="\r\n"), encoding, MOST)
    received = text.encode(encoding)
    whole, before = one.find(received), 0
    for cut in sorted({*(cut for cut in cuts if cut < len(received)), len(received)}):
        found = one.find(received[:cut], before)
        assert found == whole or (found is None and (whole is None or cut < whole[2]))
        if found is not None:
            break
        before = cut


class Searched(bytearray):
    """Counts how often it is."""

    times = 0

    def find(self, *arguments: Any) -> int:
        self.times += 1
        return super().find(*arguments)


def test_what_was_seen_is_not_looked_at_again() -> None:
    """A delimiter between two characters at every place, in many pieces: once each, and not once each a piece."""
    one = frame_of(DelimiterSettings(), "utf-16-le", MOST)
    received = Searched()
    for _ in range(100):
        seen = len(received)
        received += b"\0\n" * 5
        assert one.find(received, seen) is None
    assert received.times <= 100 * 7


def test_what_is_filled_up_has_its_length_in_any_charset() -> None:
    assert frame_of(FixedSettings(size=8), "utf-16", MOST).wrap(b"a\0") == b"a\0 \0 \0 \0"
    with pytest.raises(ValueError, match="5 bytes: a character takes 2 in this charset"):
        frame_of(FixedSettings(size=5), "utf-16-le", MOST)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (DelimiterSettings(), b"a\nb"),
        (LengthSettings(size=1), bytes(256)),
        (LengthSettings(size=2, order="digits"), bytes(100)),
        (FixedSettings(size=3), b"abcd"),
    ],
)
def test_what_would_not_be_one_message_is_not_sent(settings: FrameSettings, message: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it "):
        frame(settings).wrap(message)


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        (LengthSettings(), b"\xff\xff\xff\xff"),
        (LengthSettings(size=8), b"\x7f" * 8),
        (LengthSettings(whole=True), bytes(4)),
        (LengthSettings(size=4, order="digits"), b"-001"),
        (LengthSettings(size=4, order="digits"), b"HTTP"),
        (LengthSettings(size=4, order="digits"), b"9999"),
    ],
)
def test_a_length_that_is_none_is_not_waited_for(settings: FrameSettings, received: bytes) -> None:
    with pytest.raises(FrameError):
        frame(settings).find(received)


def test_where_the_end_is_the_connections_all_that_came_is_the_answer() -> None:
    one = frame(CloseSettings())
    assert (one.wrap(b"q"), one.find(b"abc"), one.closed(b"abc")) == (b"q", None, b"abc")


def bulk(received: bytes) -> Any:
    """As Redis tells: `$5`, five bytes, and a line end after each."""
    head, line, rest = received.partition(b"\r\n")
    if not line:
        return None
    size = int(head[1:])
    end = len(head) + 2 + (0 if size < 0 else size + 2)
    return end if len(received) >= end else rest[:0] or None


def test_a_function_may_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("our_frames")
    vars(module).update(bulk=bulk, wrong=lambda received: len(received) + 1, ends=lambda _: sys.exit(1))
    monkeypatch.setitem(sys.modules, "our_frames", module)
    one = frame(FunctionFrameSettings(function="our_frames:bulk"))
    assert one.find(b"$5\r\nhel") is None
    assert one.find(b"$5\r\nhello\r\n+") == (0, 11, 11)
    assert one.find(b"$-1\r\n") == (0, 5, 5)
    with pytest.raises(FrameError):
        one.find(b"$x\r\n")
    for name in ("wrong", "ends"):
        with pytest.raises(FrameError):
            frame(FunctionFrameSettings(function=f"our_frames:{name}")).find(b"abc")


@pytest.mark.parametrize(
    "settings",
    [DelimiterSettings(delimiter=""), LengthSettings(size=9), FunctionFrameSettings(function="no_such_module:f")],
)
def test_what_is_no_frame_is_said(settings: FrameSettings) -> None:
    with pytest.raises(ValueError, match=r"."):
        frame(settings)
