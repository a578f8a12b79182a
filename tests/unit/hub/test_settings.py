"""What a query's settings come to."""

from __future__ import annotations

from esclusa.hub.settings import LAST_LOOK, QuerySettings
from esclusa.kernel.duration import Duration


def test_results_can_be_read_for_as_long_as_said_and_once_after_the_deadline_at_least() -> None:
    assert QuerySettings(ttl=Duration(60), keep=Duration(600)).kept == 600
    assert QuerySettings(ttl=Duration(60), keep=Duration(61)).kept == 60 + LAST_LOOK
