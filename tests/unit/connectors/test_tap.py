"""What is seen of a call is kept in order, with its time, and can be read."""

from __future__ import annotations

import re
import sys
import types

import pytest

from esclusa.connectors.named import function_named
from esclusa.connectors.tap import Step, Tap
from esclusa.kernel.errors import HttpError
from unit.connectors.transport.hand_clock import EPOCH, HandClock


async def test_what_is_seen_is_kept_in_order_with_its_time() -> None:
    clock = HandClock()
    tap = Tap(clock)
    tap.saw("request", "GET /x", b"a")
    clock.move(2)
    tap.saw("answer", "200")
    assert tap.steps == [Step("request", EPOCH, "GET /x", "a"), Step("answer", EPOCH + 2, "200", "")]


@pytest.mark.parametrize(
    ("body", "charset", "read"),
    [
        ("Núñez".encode(), None, "Núñez"),
        ("Núñez".encode("latin-1"), "iso-8859-1", "Núñez"),
        ("Núñez".encode("cp037"), "cp037", "Núñez"),
        ("Núñez".encode("latin-1"), None, r"N\xfa\xf1ez"),
        ("Núñez".encode(), "no-such-charset", "Núñez"),
        ("Núñez".encode(), "punycode", "Núñez"),
        ("Núñez".encode("utf-16"), None, "Núñez"),
        ("Núñez".encode("utf-8-sig"), None, "Núñez"),
        (
            '<?xml version="1.0" encoding="latin1"?><a>ñ</a>'.encode("latin-1"),
            None,
            '<?xml version="1.0" encoding="latin1"?><a>ñ</a>',
        ),
        (b"<?xml version='1.0' encoding='none-such'?><a/>", None, "<?xml version='1.0' encoding='none-such'?><a/>"),
        (b"\x00\xff", "utf-8", "\x00\\xff"),
    ],
)
async def test_a_body_is_read_by_its_charset_and_what_is_no_text_can_be_told(
    body: bytes, charset: str | None, read: str
) -> None:
    tap = Tap(HandClock())
    tap.saw("answer", "", body, charset)
    assert tap.steps[0].body == read


async def test_of_an_answer_that_was_not_whole_what_came_is_told_to_the_last_byte() -> None:
    tap = Tap(HandClock())
    tap.missed(HttpError("timeout", "no whole answer came in time", sent=True), b"\0\5OK \xd1a\r\n\xff", "latin-1")
    tap.missed(HttpError("protocol", "none", sent=True), b"a\xff")
    assert [(step.kind, step.head, step.body) for step in tap.steps] == [
        ("failed", "timeout: no whole answer came in time; what came stands below", r"\x00\x05OK Ña\r\nÿ"),
        ("failed", "protocol: none; what came stands below", r"a\xff"),
    ]


async def test_a_call_that_failed_says_whether_anything_was_sent() -> None:
    tap = Tap(HandClock())
    tap.missed(HttpError("connect", "refused"))
    tap.missed(HttpError("closed", "it hung up", sent=True))
    assert [step.head for step in tap.steps] == ["connect: refused; nothing was sent", "closed: it hung up"]


def fails(kind: type[BaseException]) -> None:
    raise kind("why")


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        ("test_tap_own:fails", (KeyError,), r"KeyError: 'why' \(test_tap\.py:\d+\)"),
        ("test_tap_own:fails", (SystemExit,), r"RuntimeError: it ended with SystemExit \(test_tap\.py:\d+\)"),
        ("json:loads", ("{",), r"JSONDecodeError: Expecting property name .* \(test_tap\.py:\d+\)"),
    ],
)
async def test_an_error_is_told_with_the_line_of_whose_code_it_is(
    monkeypatch: pytest.MonkeyPatch, text: str, arguments: tuple[object, ...], told: str
) -> None:
    module = types.ModuleType("test_tap_own")
    vars(module)["fails"] = fails
    monkeypatch.setitem(sys.modules, module.__name__, module)
    tap = Tap(HandClock())
    try:
        function_named(text)(*arguments)
    except Exception as error:  # noqa: BLE001 - as a protocol does
        tap.raised("failed", error)
    assert re.fullmatch(told, tap.steps[0].head)
