"""What the bodies of the state answer about a person: each in words and shapes of its own, as they do.

A function a body: the decoded JSON of its answer; None when it has nothing about the person, which it says with a 404.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from esclusa.demo.lives import Draws
from esclusa.demo.people import Period, Person, birthday

JSON = dict[str, Any] | list[Any]
Answer = Callable[[Person, Period], JSON | None]
_NEW = 4
"""Years in which a car needs no inspection."""
_OLD = 10
"""From this age on it needs one every year; before, every other year."""
_INDEFINITE = 70
"""From this age on an identity card does not expire."""


def policia(person: Person, _: Period) -> JSON | None:
    """The identity document."""
    if person.foreign:
        return None
    issued = birthday(person.birth, person.age // 10 * 10)
    expires = None if person.age >= _INDEFINITE else birthday(person.birth, person.age // 10 * 10 + 10)
    return {
        "documento": {
            "tipo": "DNI",
            "numero": person.nif,
            "titular": {"nombre": person.given, "apellidos": list(person.surnames)},
            "expedicion": issued.isoformat(),
            "validez": expires.isoformat() if expires else "PERMANENTE",
        }
    }


def extranjeria(person: Person, _: Period) -> JSON | None:
    """The residence permit of who is known by a NIE."""
    if not person.foreign:
        return None
    granted = person.homes[0].since
    renewed = birthday(granted, (person.today.year - granted.year) // 5 * 5)
    return {
        "autorizaciones": [
            {
                "clase": "RESIDENCIA INICIAL" if renewed == granted else "RESIDENCIA DE LARGA DURACIÓN",
                "nacionalidad": person.nationality,
                "concedida": renewed.isoformat(),
                "caduca": birthday(renewed, 5).isoformat(),
                "provincia": person.home.town.province,
            }
        ]
    }


def dgt(person: Person, period: Period) -> JSON | None:
    """Driving licence, vehicles with their inspection, fines."""
    vehicles = []
    for vehicle in person.vehicles:
        due = inspection_due(vehicle.registered, person.today)
        vehicles.append(
            {
                "matricula": vehicle.plate,
                "marca": vehicle.make,
                "modelo": vehicle.model,
                "fechaMatriculacion": vehicle.registered.isoformat(),
                "itv": {"proxima": due.isoformat(), "estado": "EN VIGOR"},
            }
        )
    fines = [
        {
            "expediente": fine.case,
            "matricula": fine.plate,
            "fecha": fine.day.isoformat(),
            "importe": fine.amount,
            "estado": _fine_state(fine.day, person.today),
        }
        for fine in person.fines
        if period.covers(fine.day)
    ]
    return {"permiso": {"clase": "B", "puntos": 15 - 2 * len(person.fines)}, "vehiculos": vehicles, "sanciones": fines}


def aeat(person: Person, period: Period) -> JSON | None:
    """Income tax of the last four years."""
    returns = []
    for year in range(person.today.year - 4, person.today.year):
        filed = date(year + 1, 4, 10) + timedelta(days=Draws(person.nif).whole(f"tax/{year}/filed", 0, 70))
        job = person.employed(year)
        if job is None or filed > person.today or not period.covers(filed):
            continue
        due = Draws(person.nif).whole(f"tax/{year}", -job.wage, job.wage // 2)
        done = (person.today - filed).days > 60  # noqa: PLR2004 - two months
        returns.append(
            {
                "modelo": "100",
                "ejercicio": year,
                "pagador": job.employer,
                "presentacion": filed.isoformat(),
                "resultado": due,
                "situacion": "EN TRÁMITE" if not done else "DEVUELTA" if due < 0 else "INGRESADA",
            }
        )
    return {"respuesta": {"codigo": "0000", "declaraciones": {"declaracion": returns}}}


def tgss(person: Person, _: Period) -> JSON | None:
    """The working life; its dates are written day first."""
    if not person.jobs:
        return None
    return {
        "vidaLaboral": {
            "diasCotizados": sum(((job.until or person.today) - job.since).days for job in person.jobs),
            "situaciones": [
                {
                    "empresa": job.employer,
                    "regimen": "GENERAL",
                    "fechaAlta": f"{job.since:%d/%m/%Y}",
                    "fechaBaja": f"{job.until:%d/%m/%Y}" if job.until else None,
                }
                for job in person.jobs
            ],
        }
    }


def inss(person: Person, _: Period) -> JSON | None:
    """Pensions, and the benefit for a child under one."""
    benefits: list[JSON] = []
    if person.retired and person.jobs:
        amount = round(person.jobs[-1].wage * 0.76, 2)
        benefits.append(
            {"clase": "JUBILACIÓN", "desde": person.retired.isoformat(), "mensual": amount, "situacion": "EN VIGOR"}
        )
    benefits += [
        {"clase": f"NACIMIENTO: {child.name}", "desde": child.birth.isoformat(), "mensual": 0, "situacion": "RESUELTA"}
        for child in person.children
        if (person.today - child.birth).days < 365  # noqa: PLR2004 - a year
    ]
    return {"prestaciones": benefits} if benefits else None


def sepe(person: Person, _: Period) -> JSON | None:
    """Whether the person seeks work, and the benefit."""
    if person.retired or not person.jobs or person.jobs[-1].until is None:
        return {"demanda": {"estado": "BAJA", "motivo": "NO INSCRITO"}, "prestacion": None}
    last = person.jobs[-1]
    benefit = {"inicio": last.until.isoformat() if last.until else None, "mensual": round(last.wage * 0.7, 2)}
    return {"demanda": {"estado": "ALTA", "motivo": "DESEMPLEO"}, "prestacion": benefit}


def padron(person: Person, _: Period) -> JSON | None:
    """Where the person is registered, and was."""
    return {
        "inscripciones": [
            {
                "municipio": home.address.town.name,
                "provincia": home.address.town.province,
                "domicilio": str(home.address),
                "alta": home.since.isoformat(),
                "baja": home.until.isoformat() if home.until else None,
            }
            for home in reversed(person.homes)
        ]
    }


def registro_civil(person: Person, _: Period) -> JSON | None:
    """Birth, marriage and children."""
    entries: list[JSON] = []
    if not person.foreign:
        place = person.homes[0].address.town.name
        entries.append({"tipo": "NACIMIENTO", "inscrito": person.name, "fecha": person.birth.isoformat(), "lugar": place})
    if person.marriage:
        entries.append({"tipo": "MATRIMONIO", "inscrito": person.marriage.spouse, "fecha": person.marriage.day.isoformat()})
    entries += [
        {"tipo": "NACIMIENTO DE HIJO", "inscrito": child.name, "fecha": child.birth.isoformat()} for child in person.children
    ]
    return {"asientos": entries} if entries else None


def educacion(person: Person, _: Period) -> JSON | None:
    """Degrees in the national register."""
    if person.degree is None:
        return None
    number = Draws(person.nif).whole("degree/number", 1_000_000, 9_999_999)
    degree = person.degree
    return [{"titulo": degree.title, "centro": degree.university, "expedido": degree.day.isoformat(), "registro": number}]


def uned(person: Person, _: Period) -> JSON | None:
    """The student's file, in the manner of JSON:API; of who never studied there, an empty list."""
    degree = person.degree
    if degree is None or "Distancia" not in degree.university:
        return {"data": []}
    facts = {"estudio": degree.title, "estado": "FINALIZADO", "fecha": degree.day.isoformat()}
    return {"data": [{"type": "expediente", "id": person.nif[:8], "attributes": facts}]}


def catastro(person: Person, _: Period) -> JSON | None:
    """Real estate, in the abbreviations of its trade."""
    if not person.dwellings:
        return None
    return {
        "bi": [
            {
                "rc": dwelling.reference,
                "ldt": str(dwelling.address),
                "debi": {"luso": "Residencial", "sfc": dwelling.area, "ant": dwelling.built, "vc": dwelling.value},
            }
            for dwelling in person.dwellings
        ]
    }


def registro_propiedad(person: Person, _: Period) -> JSON | None:
    """Titles to real estate."""
    return {
        "fincas": [
            {
                "cru": f"{Draws(dwelling.reference).whole('cru', 10**13, 10**14 - 1)}",
                "referenciaCatastral": dwelling.reference,
                "titularidad": "100 % PLENO DOMINIO",
                "inscripcion": dwelling.bought.isoformat(),
                "cargas": "HIPOTECA" if (person.today - dwelling.bought).days < 25 * 365 else "LIBRE DE CARGAS",
            }
            for dwelling in person.dwellings
        ]
    }


def dehu(person: Person, period: Period) -> JSON | None:
    """Notifications of all bodies of the state: here, of the fines, five days after."""
    sent = [(fine.case, fine.day + timedelta(days=5)) for fine in person.fines]
    return {
        "notificaciones": [
            {
                "organismo": "DGT",
                "asunto": f"Denuncia {case}",
                "puestaADisposicion": f"{day}T09:00:00Z",
                "estado": "PENDIENTE" if (person.today - day).days < 10 else "LEÍDA",  # noqa: PLR2004 - days
            }
            for case, day in sent
            if day <= person.today and period.covers(day)
        ]
    }


def oepm(person: Person, _: Period) -> JSON | None:
    """Trade marks."""
    if person.trademark is None:
        return None
    number = Draws(person.nif).whole("trademark/number", 3_000_000, 4_200_000)
    return {"total": 1, "marcas": [{"numero": f"M{number}", "denominacion": person.trademark, "situacion": "EN VIGOR"}]}


def transportes(person: Person, _: Period) -> JSON | None:
    """The young people's rent allowance."""
    if person.dwellings or person.age >= 36:  # noqa: PLR2004 - the allowance ends at 35
        return {"solicitudes": []}
    applied = date(person.today.year - 1, 11, 3)
    return {"solicitudes": [{"ayuda": "BONO ALQUILER JOVEN", "solicitada": applied.isoformat(), "estado": "CONCEDIDA"}]}


def wells(*provinces: str) -> Answer:
    """The answer of the river authority of these provinces: its licensed wells."""

    def answer(person: Person, _: Period) -> JSON | None:
        licences = [
            {"expediente": f"A-{dwelling.reference[:5]}", "finca": dwelling.reference, "desde": dwelling.bought.isoformat()}
            for dwelling in person.dwellings
            if dwelling.well and dwelling.address.town.province in provinces
        ]
        return {"concesiones": licences} if licences else None

    return answer


def inspection_due(registered: date, today: date) -> date:
    """When a vehicle's next inspection is due: after four years, then every other year, from ten years on every year."""
    age = _NEW
    while (due := birthday(registered, age)) <= today:
        age += 1 if age >= _OLD else 2
    return due


def _fine_state(day: date, today: date) -> str:
    days = (today - day).days
    return "PENDIENTE DE PAGO" if days < 20 else "EN TRÁMITE" if days < 90 else "PAGADA"  # noqa: PLR2004 - days
