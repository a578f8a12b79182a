from __future__ import annotations

import re
from datetime import date

import pytest
from stdnum.es import nif, postal_code, referenciacatastral

from esclusa.demo.lives import CITIZENS, Citizen, Draws, other, person, plate
from esclusa.demo.people import RETIREMENT, Person, birthday

TODAY = date(2026, 11, 22)


def some(count: int = 300) -> list[Person]:
    return [who for number in range(count) if (who := person(other(number), TODAY))]


def test_a_subject_is_the_same_person_at_every_run() -> None:
    tecla = person("99002727D", TODAY)
    assert tecla == person("99002727D", TODAY)
    assert tecla is not None
    assert tecla.name == "Tecla Garcielmo Jarabonda"
    assert str(tecla.home) == "Calle Mayor, 104, 3.º C, 50021 Zaragoza"


def test_the_citizens_are_as_their_stories_say() -> None:
    tecla, telmo, ciro, genoveva = (person(citizen.nif, TODAY) for citizen in CITIZENS)
    assert tecla
    assert [home.address.town.name for home in tecla.homes] == ["A Coruña", "Girona", "Zaragoza"]
    assert (len(tecla.vehicles), len(tecla.children), bool(tecla.trademark)) == (2, 2, True)
    assert [(dwelling.address.town.name, dwelling.well) for dwelling in tecla.dwellings][1] == ("Alacant", True)
    assert telmo
    assert telmo.retired
    assert (telmo.home.town.name, len(telmo.jobs), len(telmo.vehicles)) == ("Barcelona", 7, 2)
    assert telmo.degree
    assert "Distancia" in telmo.degree.university
    assert ciro
    assert (ciro.homes[0].address.town.name, ciro.birth.year, ciro.home.town.name) == ("Vigo", 2001, "Zaragoza")
    assert [vehicle.make for vehicle in ciro.vehicles] == ["Vespa"]
    assert not ciro.dwellings
    assert genoveva
    assert (genoveva.foreign, genoveva.nationality, len(genoveva.children)) == (True, "Portugal", 3)
    assert [(dwelling.address.town.name, dwelling.well) for dwelling in genoveva.dwellings] == [("Madrid", True)]


@pytest.mark.parametrize("citizen", CITIZENS, ids=lambda citizen: citizen.nif)
def test_every_citizen_has_a_valid_nif(citizen: Citizen) -> None:
    assert nif.is_valid(citizen.nif)


def test_other_people_have_valid_nifs_and_are_all_different() -> None:
    numbers = [other(number) for number in range(500)]
    assert all(map(nif.is_valid, numbers))
    assert len({who.name for who in some(500)}) > 400


def test_a_company_is_nobody() -> None:
    assert person("B64717838", TODAY) is None


def test_a_life_goes_by_in_order() -> None:
    for who in some():
        stays = [(home.since, home.until) for home in who.homes]
        assert [until for _, until in stays] == [since for since, _ in stays[1:]] + [None]
        assert all(job.until is None or job.until <= TODAY for job in who.jobs)
        assert all(before.until and before.until < after.since for before, after in zip(who.jobs, who.jobs[1:], strict=False))
        assert all(who.marriage and who.marriage.day < child.birth <= TODAY for child in who.children)
        assert all(who.age >= 20 and birthday(who.birth, 20) <= vehicle.registered <= TODAY for vehicle in who.vehicles)
        assert {fine.plate for fine in who.fines} <= {vehicle.plate for vehicle in who.vehicles}
        assert who.retired is None or all(job.until and job.until <= who.retired for job in who.jobs)
        assert (who.retired is not None) == (who.age >= RETIREMENT)


def test_the_years_go_on_and_the_past_stays_as_it_was() -> None:
    for number in range(100):
        before, after = person(other(number), TODAY), person(other(number), date(2029, 11, 22))
        assert before
        assert after
        assert after.homes[: len(before.homes) - 1] == before.homes[:-1]
        assert after.children[: len(before.children)] == before.children
        assert after.age == before.age + 3


def test_brothers_and_sisters_have_names_of_their_own() -> None:
    assert all(len({child.name for child in who.children}) == len(who.children) for who in some())


def test_papers_are_in_order() -> None:
    for who in some():
        assert all(referenciacatastral.is_valid(dwelling.reference) for dwelling in who.dwellings)
        assert all(postal_code.is_valid(home.address.postcode) for home in who.homes)
        assert all(home.address.postcode.startswith(home.address.town.province) for home in who.homes)
        assert all(re.fullmatch(r"\d{4} [B-DF-HJ-NP-TV-Z]{3}", vehicle.plate) for vehicle in who.vehicles)


def test_newer_cars_have_later_plates() -> None:
    assert plate(1, date(2004, 1, 1))[-3:] < plate(1, date(2015, 1, 1))[-3:] < plate(1, date(2026, 1, 1))[-3:]


def test_draws_are_spread_evenly_and_independent() -> None:
    dice = [Draws(str(subject)).whole("dice", 1, 6) for subject in range(6000)]
    assert {face: 900 < dice.count(face) < 1100 for face in range(1, 7)} == dict.fromkeys(range(1, 7), True)
    assert Draws("a").fraction("x") != Draws("a").fraction("y") != Draws("b").fraction("y")
    assert Draws("a").day("x", date(2026, 1, 2), date(2026, 1, 1)) == date(2026, 1, 2)
