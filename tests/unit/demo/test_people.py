from __future__ import annotations

from datetime import date

from esclusa.demo.lives import person
from esclusa.demo.people import Period, birthday

TODAY = date(2026, 11, 22)


def test_who_is_born_on_29_february_has_a_birthday_every_year() -> None:
    assert birthday(date(2000, 2, 29), 4) == date(2004, 2, 29)
    assert birthday(date(2000, 2, 29), 5) == date(2005, 2, 28)


def test_both_ends_of_a_period_belong_to_it() -> None:
    period = Period(date(2026, 1, 1), date(2026, 1, 31))
    assert period.covers(date(2026, 1, 1))
    assert period.covers(date(2026, 1, 31))
    assert not period.covers(date(2026, 2, 1))
    assert Period().covers(TODAY)


def test_employment_is_known_by_year() -> None:
    tecla = person("99002727D", TODAY)
    assert tecla
    first, last = tecla.jobs[0], tecla.jobs[-1]
    assert tecla.employed(first.since.year) == first
    assert tecla.employed(2026) == last
    assert tecla.employed(first.since.year - 1) is None


def test_a_region_knows_who_lived_there_once() -> None:
    tecla = person("99002727D", TODAY)
    assert tecla
    assert tecla.has_lived_in("xunta-galicia")
    assert not tecla.has_lived_in("junta-andalucia")
