from __future__ import annotations

from esclusa.demo.transforms import working_life


def test_the_working_life_comes_newest_first_with_days_in_the_common_form() -> None:
    first = {"empresa": "Uno, S.L.", "regimen": "GENERAL", "fechaAlta": "01/03/2015", "fechaBaja": "31/12/2019"}
    second = {"empresa": "Dos, S.A.", "regimen": "GENERAL", "fechaAlta": "15/01/2020", "fechaBaja": None}
    assert working_life({"vidaLaboral": {"diasCotizados": 1, "situaciones": [first, second]}}) == [
        {"label": "Dos, S.A.", "value": "desde 2020-01-15", "date": "2020-01-15", "state": "ALTA"},
        {"label": "Uno, S.L.", "value": "desde 2015-03-01", "date": "2019-12-31", "state": "BAJA"},
    ]
