"""Whether a question is well put: parameters with types and limits, subjects that exist (H1)."""

from __future__ import annotations

import pytest

from esclusa.hub.settings import ParamSettings, QuerySettings
from esclusa.hub.validation import checked_params, checked_subject
from esclusa.kernel.errors import InvalidParams, InvalidSubject

QUERY = QuerySettings(
    params={
        "period": ParamSettings(type="dateRange", max=31),
        "day": ParamSettings(type="date"),
        "province": ParamSettings(type="province"),
        "note": ParamSettings(type="text", max=5),
        "count": ParamSettings(type="number", max=10),
        "partner": ParamSettings(type="nif"),
    }
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"period": {"from": "2026-01-01", "to": "2026-01-31"}}, {"period.from": "2026-01-01", "period.to": "2026-01-31"}),
        ({"day": "2026-02-28"}, {"day": "2026-02-28"}),
        ({"province": "08"}, {"province": "08"}),
        ({"note": "niño"}, {"note": "niño"}),
        ({"count": 10}, {"count": "10"}),
        ({"count": 2.5}, {"count": "2.5"}),
        ({"partner": "12345678z"}, {"partner": "12345678Z"}),
        ({"note": None}, {}),
    ],
)
def test_parameters_become_checked_text(given: dict[str, object], expected: dict[str, str]) -> None:
    assert checked_params(QUERY, given) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"period": {"from": "2026-01-02", "to": "2026-01-01"}},
        {"period": {"from": "2026-01-01", "to": "2026-02-01"}},
        {"period": {"from": "2026-01-01"}},
        {"period": "2026-01-01"},
        {"day": "2026-02-30"},
        {"day": "20260228"},
        {"day": "２026-02-28"},
        {"province": "53"},
        {"province": "00"},
        {"province": 8},
        {"note": "abcdef"},
        {"note": " "},
        {"note": "a\nb"},
        {"count": 11},
        {"count": True},
        {"count": float("nan")},
        {"count": "3"},
        {"count": -(10**400)},
        {"partner": "12345678A"},
        {"other": 1},
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, object]) -> None:
    with pytest.raises(InvalidParams) as refused:
        checked_params(QUERY, given)
    assert [fault.pointer for fault in refused.value.faults] == [f"/params/{next(iter(given))}"]


def test_everything_that_is_wrong_is_named_at_once() -> None:
    query = QuerySettings(params={"a": ParamSettings(type="date", required=True), "b": ParamSettings(type="nif")})
    with pytest.raises(InvalidParams) as refused:
        checked_params(query, {"b": "1", "c/d~": 2})
    assert [fault.pointer for fault in refused.value.faults] == ["/params/c~1d~0", "/params/a", "/params/b"]


@pytest.mark.parametrize(
    ("subject", "normal"), [("12345678Z", "12345678Z"), ("12345678z", "12345678Z"), ("x1234567l", "X1234567L")]
)
def test_a_nif_or_nie_is_checked_and_normalised(subject: str, normal: str) -> None:
    assert checked_subject(QuerySettings(), subject) == normal


@pytest.mark.parametrize("subject", ["", "12345678A", "1234", "١٢٣٤٥٦٧٨Z", "12345678Z\n12345678Z", "0" * 500])
def test_what_is_no_nif_is_refused(subject: str) -> None:
    with pytest.raises(InvalidSubject):
        checked_subject(QuerySettings(), subject)


def test_other_kinds_of_subject() -> None:
    assert checked_subject(QuerySettings(subject="text"), "any thing") == "any thing"
    assert checked_subject(QuerySettings(subject=r"[A-Z]{3}\d"), "ABC1") == "ABC1"
    for query, subject in ((r"[A-Z]{3}\d", "ABC12"), ("text", ""), ("text", "a\tb"), ("text", "x" * 65)):
        with pytest.raises(InvalidSubject):
            checked_subject(QuerySettings(subject=query), subject)
