"""Where one message ends and the next begins, on a connection that knows only bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from esclusa.connectors.named import function_named
from esclusa.connectors.tcp.settings import (
    CloseSettings,
    DelimiterSettings,
    FixedSettings,
    FrameSettings,
    FunctionFrameSettings,
    LengthSettings,
)

Order = Literal["big", "little"]
_LENGTH = 8
"""Bytes of a binary length, at most."""


class FrameError(Exception):
    """What came can't be the beginning of a message; in our words."""


class Frame(Protocol):
    """How messages are told apart."""

    def wrap(self, message: bytes) -> bytes:
        """What is sent. `ValueError`, in words, for a message that would not be one there."""

    def find(self, received: bytes | bytearray, seen: int = 0) -> tuple[int, int, int] | None:
        """Where a message begins and ends in what has been received, and where what follows it begins; None: not all is there.

        `seen`: in so many of its bytes none was found before. `FrameError` for what will never be one.
        """

    def closed(self, received: bytes) -> bytes | None:
        """The message that is whole because the connection has ended; None: it is not."""


class DelimiterFrame:
    """A message ends with a delimiter, which is no part of it."""

    def __init__(self, delimiter: bytes, unit: int) -> None:
        """`unit`: bytes of which every character takes one or more times as many, and between which none ends."""
        self._delimiter = delimiter
        self._unit = unit

    def wrap(self, message: bytes) -> bytes:
        """As `Frame.wrap`."""
        body = message.removesuffix(self._delimiter)
        if self.find(body) is not None:
            raise ValueError("it has the delimiter in it")
        return body + self._delimiter

    def find(self, received: bytes | bytearray, seen: int = 0) -> tuple[int, int, int] | None:
        """As `Frame.find`. What was seen is not looked at again: an answer may come in many pieces."""
        end = received.find(self._delimiter, max(0, seen - len(self._delimiter) + 1))
        while end % self._unit and end > 0:
            end = received.find(self._delimiter, end + 1)
        return None if end < 0 else (0, end, end + len(self._delimiter))

    def closed(self, _: bytes) -> bytes | None:
        """As `Frame.closed`."""
        return None


class LengthFrame:
    """A message begins with its length."""

    def __init__(self, size: int, order: Literal["big", "little", "digits"], most: int, *, whole: bool) -> None:
        """`most`: bytes beyond which a length is not believed; `whole`: it counts itself."""
        self._size = size
        self._order: Order | None = None if order == "digits" else order
        self._most = most
        self._own = size if whole else 0

    def wrap(self, message: bytes) -> bytes:
        """As `Frame.wrap`."""
        length = len(message) + self._own
        try:
            if self._order is not None:
                return length.to_bytes(self._size, self._order) + message
        except OverflowError:
            raise ValueError("it is longer than its length can say") from None
        digits = str(length).zfill(self._size)
        if len(digits) > self._size:
            raise ValueError("it is longer than its length can say")
        return digits.encode() + message

    def find(self, received: bytes | bytearray, _: int = 0) -> tuple[int, int, int] | None:
        """As `Frame.find`."""
        if len(received) < self._size:
            return None
        length = self._length(received[: self._size]) - self._own
        if not 0 <= length <= self._most:
            raise FrameError("the length that it tells is none")
        end = self._size + length
        return None if len(received) < end else (self._size, end, end)

    def _length(self, told: bytes | bytearray) -> int:
        if self._order is not None:
            return int.from_bytes(told, self._order)
        if not told.isdigit():
            raise FrameError("the length that it tells is none")
        return int(told)

    def closed(self, _: bytes) -> bytes | None:
        """As `Frame.closed`."""
        return None


class FixedFrame:
    """Every message has the same length."""

    def __init__(self, size: int, space: bytes) -> None:
        """`space`: what a shorter request is filled up with. `ValueError` when that is no way to fill it."""
        if size % len(space):
            raise ValueError(f"{size} bytes: a character takes {len(space)} in this charset")
        self._size = size
        self._space = space

    def wrap(self, message: bytes) -> bytes:
        """As `Frame.wrap`."""
        if len(message) > self._size:
            raise ValueError(f"it is longer than {self._size} bytes")
        return message + self._space * ((self._size - len(message)) // len(self._space))

    def find(self, received: bytes | bytearray, _: int = 0) -> tuple[int, int, int] | None:
        """As `Frame.find`."""
        return None if len(received) < self._size else (0, self._size, self._size)

    def closed(self, _: bytes) -> bytes | None:
        """As `Frame.closed`."""
        return None


class CloseFrame:
    """An answer ends with its connection."""

    def wrap(self, message: bytes) -> bytes:
        """As `Frame.wrap`."""
        return message

    def find(self, _: bytes | bytearray, __: int = 0) -> tuple[int, int, int] | None:
        """As `Frame.find`."""
        return None

    def closed(self, received: bytes) -> bytes | None:
        """As `Frame.closed`."""
        return received


class FunctionFrame:
    """A function of the user's finds where an answer ends."""

    def __init__(self, function: Callable[[bytes], int | None]) -> None:
        self._function = function

    def wrap(self, message: bytes) -> bytes:
        """As `Frame.wrap`."""
        return message

    def find(self, received: bytes | bytearray, _: int = 0) -> tuple[int, int, int] | None:
        """As `Frame.find`."""
        try:
            end = self._function(bytes(received))
        except Exception:  # noqa: BLE001 - it is the user's
            raise FrameError("nobody can say where it ends") from None
        if end is None:
            return None
        if not 0 < end <= len(received):
            raise FrameError("nobody can say where it ends")
        return 0, end, end

    def closed(self, _: bytes) -> bytes | None:
        """As `Frame.closed`."""
        return None


def frame_of(settings: FrameSettings, encoding: str, most: int) -> Frame:
    """The frame that `settings` describe. `ValueError`, in words, where they describe none."""
    match settings:
        case DelimiterSettings():
            if not settings.delimiter:
                raise ValueError("a delimiter can't be empty")
            return DelimiterFrame(_inside(settings.delimiter, encoding), len(_inside(" ", encoding)))
        case LengthSettings():
            if settings.size > _LENGTH:
                raise ValueError(f"a length of {settings.size} bytes: {_LENGTH} are the most")
            return LengthFrame(settings.size, settings.order, most, whole=settings.whole)
        case FixedSettings():
            return FixedFrame(settings.size, _inside(" ", encoding))
        case CloseSettings():
            return CloseFrame()
        case FunctionFrameSettings():
            return FunctionFrame(function_named(settings.function))


def _inside(text: str, encoding: str) -> bytes:
    """Its bytes where it does not stand first: without the mark with which some charsets begin."""
    before = "-"
    return (before + text).encode(encoding)[len(before.encode(encoding)) :]
