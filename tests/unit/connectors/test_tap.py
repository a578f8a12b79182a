"""What is seen of a call is kept in order, with its time, and can be read."""

from __future__ import annotations

import pytest

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


async def test_a_call_that_failed_says_whether_anything_was_sent() -> None:
    tap = Tap(HandClock())
    tap.missed(HttpError("connect", "refused"))
    tap.missed(HttpError("closed", "it hung up", sent=True))
    assert [step.head for step in tap.steps] == ["connect: refused; nothing was sent", "closed: it hung up"]
