"""What is not JSON by itself becomes so."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from esclusa.connectors.soap.data import plain


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (time(3, 4), "03:04:00"),
        (timedelta(hours=25), "P1DT1H"),
        (Decimal("10.50"), "10.50"),
        (Decimal("1E+999999"), "1E+999999"),
        (b"\x00\x01\x02", "AAEC"),
        (etree.QName("urn:a", "b"), "b"),
        ({"a": [None, True, 1, 0.5, "x"]}, {"a": [None, True, 1, 0.5, "x"]}),
        (etree.fromstring("<a>x</a>"), {"a": "x"}),
        (etree.fromstring("<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><b i:nil='true'/></a>"), {"a": {"b": None}}),
        (
            etree.fromstring("<a b='1'>x<c/><d>1</d><d>2</d><d>3</d></a>"),
            {"a": {"@b": "1", "c": "", "d": ["1", "2", "3"], "#text": "x"}},
        ),
    ],
)
def test_everything_has_a_form_in_json(value: Any, made: Any) -> None:
    assert plain(value) == made


def test_what_is_no_number_for_json_is_a_text_as_xml_has_it() -> None:
    assert plain([float("inf"), float("-inf"), float("nan"), 1.5]) == ["INF", "-INF", "NaN", 1.5]
