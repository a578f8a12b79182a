"""What autonomous communities and town councils answer about a person: each in words and shapes of its own, as they do.

A function a body (or one that makes it): the decoded JSON of its answer; None when it has nothing about the person.
A community knows who lives there or once did; a council, who lives there or owns a dwelling there.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from esclusa.demo.lives import Draws
from esclusa.demo.people import Period, Person
from esclusa.demo.state import JSON, Answer


def community(region: str, *, key: str, visits: str, grants: str) -> Answer:
    """Health card, appointments and grants of a community, under the names that it gives them."""

    def answer(person: Person, _: Period) -> JSON | None:
        if not person.has_lived_in(region):
            return None
        here = person.home.town.region == region
        visit = {"especialidad": person.visit.speciality, "fecha": person.visit.day.isoformat(), "estado": "CONFIRMADA"}
        return {
            key: {"numero": health_card(person, region), "estado": "ACTIVA" if here else "TRASLADADA"},
            visits: [visit] if here else [],
            grants: _large_family(person) if here else [],
        }

    return answer


def basque(person: Person, _: Period) -> JSON | None:
    """The Basque government wraps what it says in `data`, as a list of things with a kind."""
    if not person.has_lived_in("gobierno-vasco"):
        return None
    here = person.home.town.region == "gobierno-vasco"
    things: list[JSON] = [{"mota": "OSASUN TXARTELA", "zenbakia": health_card(person, "gobierno-vasco"), "indarrean": here}]
    if here:
        things.append(
            {"mota": f"HITZORDUA: {person.visit.speciality}", "data": person.visit.day.isoformat(), "indarrean": True}
        )
    return {"data": things}


def council(body: str) -> Answer:
    """The taxes of a town: on vehicles where their owner lives, on dwellings where they stand."""

    def answer(person: Person, period: Period) -> JSON | None:
        taxed = taxes(person, body, person.today.year)
        if not taxed:
            return None
        last = date(person.today.year, 5, 31)
        state = "PENDIENTE" if person.today <= last else "PAGADO"
        return {"recibos": [tax | {"vence": last.isoformat(), "estado": state} for tax in taxed if period.covers(last)]}

    return answer


def taxes(person: Person, body: str, year: int) -> list[dict[str, Any]]:
    """The year's taxes that this council takes of the person, for what was the person's when the year began."""
    began = date(year, 1, 1)
    taxed: list[dict[str, Any]] = []
    if person.home.town.council == body:
        taxed += [
            {
                "concepto": "IVTM",
                "objeto": vehicle.plate,
                "ejercicio": year,
                "importe": Draws(vehicle.plate).whole("ivtm", 34, 143),
            }
            for vehicle in person.vehicles
            if vehicle.registered < began
        ]
    taxed += [
        {"concepto": "IBI", "objeto": dwelling.reference, "ejercicio": year, "importe": round(dwelling.value * 0.0066, 2)}
        for dwelling in person.dwellings
        if dwelling.address.town.council == body and dwelling.bought < began
    ]
    return taxed


def health_card(person: Person, region: str) -> str:
    """The number of the person's health card in that community."""
    first, second = person.surnames
    return f"{first[:2]}{second[:2]}{Draws(person.nif).whole(f'card/{region}', 10**8, 10**9 - 1)}".upper()


def _large_family(person: Person) -> list[JSON]:
    if len(person.children) < 3:  # noqa: PLR2004 - three make a large family
        return []
    return [{"ayuda": "FAMILIA NUMEROSA", "fecha": person.children[2].birth.isoformat(), "estado": "RECONOCIDA"}]
