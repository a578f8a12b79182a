from __future__ import annotations

from datetime import date
from typing import Any

from esclusa.demo import regions, state
from esclusa.demo.lives import other, person
from esclusa.demo.people import Period, Person

TODAY = date(2026, 11, 22)
ALWAYS = Period()


def some(count: int = 300) -> list[Person]:
    return [who for number in range(count) if (who := person(other(number), TODAY))]


def said(answer: state.Answer, who: Person, period: Period = ALWAYS) -> Any:
    return answer(who, period)


def tecla() -> Person:
    who = person("99002727D", TODAY)
    assert who
    return who


def genoveva() -> Person:
    who = person("Z9901635W", TODAY)
    assert who
    return who


def test_the_same_dwelling_is_known_to_cadastre_registry_and_town() -> None:
    for who in some():
        references = [dwelling.reference for dwelling in who.dwellings]
        cadastre = said(state.catastro, who)
        assert [entry["rc"] for entry in cadastre["bi"]] == references if references else cadastre is None
        assert [title["referenciaCatastral"] for title in said(state.registro_propiedad, who)["fincas"]] == references
        council = who.home.town.council
        taxed = {tax["objeto"] for tax in regions.taxes(who, council, 2026) if tax["concepto"] == "IBI"} if council else set()
        assert taxed <= set(references)


def test_where_somebody_lives_is_the_same_everywhere() -> None:
    who = tecla()
    registered = said(state.padron, who)["inscripciones"][0]
    assert registered["domicilio"] == said(state.catastro, who)["bi"][0]["ldt"] == str(who.home)
    assert registered["provincia"] == who.home.town.province
    assert registered["baja"] is None


def test_the_same_fine_is_known_to_the_traffic_office_and_notified() -> None:
    for who in some():
        fines = [fine["expediente"] for fine in said(state.dgt, who)["sanciones"]]
        notified = [notice["asunto"].removeprefix("Denuncia ") for notice in said(state.dehu, who)["notificaciones"]]
        assert notified == fines[: len(notified)]
        assert len(fines) - len(notified) <= 1


def test_the_same_employer_pays_contributions_and_wages() -> None:
    for who in some(100):
        jobs = said(state.tgss, who) or {"vidaLaboral": {"situaciones": []}}
        employers = {job["empresa"] for job in jobs["vidaLaboral"]["situaciones"]}
        returns = said(state.aeat, who)["respuesta"]["declaraciones"]["declaracion"]
        assert {filed["pagador"] for filed in returns} <= employers


def test_the_registers_know_birth_marriage_and_children() -> None:
    kinds = [entry["tipo"] for entry in said(state.registro_civil, tecla())["asientos"]]
    assert kinds == ["NACIMIENTO", "MATRIMONIO", "NACIMIENTO DE HIJO", "NACIMIENTO DE HIJO"]
    assert said(state.registro_civil, genoveva())["asientos"][0]["tipo"] == "MATRIMONIO"


def test_spaniards_have_an_identity_card_and_foreigners_a_permit() -> None:
    assert said(state.policia, tecla())["documento"]["validez"] == "2031-10-16"
    assert said(state.extranjeria, tecla()) is None
    assert said(state.policia, genoveva()) is None
    assert said(state.extranjeria, genoveva())["autorizaciones"][0]["nacionalidad"] == "Portugal"


def test_from_seventy_on_the_card_does_not_expire() -> None:
    old = next(who for who in some() if who.age >= 70)
    assert said(state.policia, old)["documento"]["validez"] == "PERMANENTE"


def test_the_retired_have_a_pension_and_the_others_none() -> None:
    for who in some():
        kinds = [benefit["clase"] for benefit in (said(state.inss, who) or {"prestaciones": []})["prestaciones"]]
        assert ("JUBILACIÓN" in kinds) == bool(who.retired and who.jobs)


def test_a_child_under_one_brings_a_benefit() -> None:
    baby = next(child for child in genoveva().children if (TODAY - child.birth).days < 365)
    assert said(state.inss, genoveva())["prestaciones"][0]["clase"] == f"NACIMIENTO: {baby.name}"


def test_who_is_out_of_work_seeks_it() -> None:
    idle = next(who for who in some() if not who.retired and who.jobs and who.jobs[-1].until)
    assert said(state.sepe, idle)["demanda"]["estado"] == "ALTA"
    assert said(state.sepe, tecla())["demanda"]["estado"] == "BAJA"


def test_degrees_are_registered_and_known_to_their_university() -> None:
    telmo = person("99001192S", TODAY)
    assert telmo
    assert said(state.educacion, telmo)[0]["titulo"] == said(state.uned, telmo)["data"][0]["attributes"]["estudio"]
    assert said(state.uned, tecla()) == {"data": []}
    assert said(state.educacion, next(who for who in some() if who.degree is None)) is None


def test_trade_marks_are_few() -> None:
    assert said(state.oepm, tecla())["marcas"][0]["denominacion"] == tecla().trademark
    assert sum(said(state.oepm, who) is not None for who in some()) < 60


def test_the_young_who_rent_get_an_allowance() -> None:
    ciro = person("99002119E", TODAY)
    assert ciro
    assert said(state.transportes, ciro)["solicitudes"][0]["ayuda"] == "BONO ALQUILER JOVEN"
    assert said(state.transportes, tecla()) == {"solicitudes": []}


def test_a_river_licenses_the_wells_of_its_provinces() -> None:
    assert said(state.wells("03"), tecla())["concesiones"][0]["finca"] == tecla().dwellings[1].reference
    assert said(state.wells("28"), tecla()) is None


def test_the_period_asked_for_is_heeded() -> None:
    last_year = Period(date(2025, 1, 1), date(2025, 12, 31))
    returns = said(state.aeat, tecla(), last_year)["respuesta"]["declaraciones"]["declaracion"]
    assert [filed["ejercicio"] for filed in returns] == [2024]
    assert [fine["fecha"][:4] for fine in said(state.dgt, tecla(), last_year)["sanciones"]] == ["2025"]
    assert [notice["puestaADisposicion"][:4] for notice in said(state.dehu, tecla(), last_year)["notificaciones"]] == ["2025"]


def test_inspections_are_due_after_four_years_then_every_other_then_every_year() -> None:
    new = date(2020, 3, 1)
    dues = [state.inspection_due(new, date(year, 6, 1)).year for year in (2020, 2024, 2026, 2028, 2030, 2031)]
    assert dues == [2024, 2026, 2028, 2030, 2031, 2032]
