from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from esclusa.demo import regions, state
from esclusa.demo.lives import other, person
from esclusa.demo.people import Period, Person

TODAY = date(2026, 11, 22)
ALWAYS = Period()
GALICIA = regions.community("xunta-galicia", key="tarxeta", visits="citas", grants="axudas")
ARAGON = regions.community("gobierno-aragon", key="tarjeta", visits="citas", grants="ayudas")


def some(count: int = 300) -> list[Person]:
    return [who for number in range(count) if (who := person(other(number), TODAY))]


def tecla() -> Person:
    who = person("99002727D", TODAY)
    assert who
    return who


def said(answer: state.Answer, who: Person) -> Any:
    return answer(who, ALWAYS)


def test_the_town_taxes_the_cars_that_the_traffic_office_knows() -> None:
    for who in some():
        known = [vehicle["matricula"] for vehicle in said(state.dgt, who)["vehiculos"]]
        if (council := who.home.town.council) is None:
            continue
        taxed = [tax["objeto"] for tax in regions.taxes(who, council, 2026) if tax["concepto"] == "IVTM"]
        assert set(taxed) <= set(known)
        assert len(taxed) == sum(vehicle.registered.year < 2026 for vehicle in who.vehicles)


def test_a_council_knows_nothing_of_who_has_nothing_there() -> None:
    assert said(regions.council("ayto-sevilla"), tecla()) is None
    receipts = said(regions.council("ayto-zaragoza"), tecla())["recibos"]
    assert [receipt["concepto"] for receipt in receipts] == ["IVTM", "IVTM", "IBI"]


@pytest.mark.parametrize(("today", "state"), [(date(2026, 3, 1), "PENDIENTE"), (date(2026, 6, 1), "PAGADO")])
def test_taxes_are_paid_by_the_end_of_may(today: date, state: str) -> None:
    who = person("99002727D", today)
    assert who
    assert {receipt["estado"] for receipt in said(regions.council("ayto-zaragoza"), who)["recibos"]} == {state}


def test_where_one_lives_there_are_appointments_and_where_one_lived_a_card() -> None:
    here, before = said(ARAGON, tecla()), said(GALICIA, tecla())
    assert here["tarjeta"]["estado"] == "ACTIVA"
    assert here["citas"][0]["fecha"] == tecla().visit.day.isoformat()
    assert before["tarxeta"]["estado"] == "TRASLADADA"
    assert before["citas"] == []


def test_three_children_make_a_large_family() -> None:
    large = next(who for who in some() if len(who.children) == 3 and who.home.town.region == "gobierno-aragon")
    assert said(ARAGON, large)["ayudas"][0]["ayuda"] == "FAMILIA NUMEROSA"
    assert said(ARAGON, tecla())["ayudas"] == []


def test_the_basque_government_wraps_what_it_says() -> None:
    here = next(who for who in some() if who.home.town.region == "gobierno-vasco")
    left = next(who for who in some() if who.has_lived_in("gobierno-vasco") and who.home.town.region != "gobierno-vasco")
    assert [thing["indarrean"] for thing in said(regions.basque, here)["data"]] == [True, True]
    assert [thing["indarrean"] for thing in said(regions.basque, left)["data"]] == [False]
    assert said(regions.basque, tecla()) is None
