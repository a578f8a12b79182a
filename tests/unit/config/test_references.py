"""Every name that is used is one that is declared, or the nearest one is proposed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Mistakes = Callable[..., list[str]]

BASE = """[connectors.dgt]
url = "https://dgt.example/"
tags = ["trafico"]
[connectors.catastro]
url = "https://catastro.example/"
[queries.expedientes]
connectors = ["dgt", "#trafico", "*"]
params.province.type = "province"
params.period.type = "dateRange"
[queries.multas]
connectors = ["dgt"]
params.plate.type = "text"
[pools.slow]
[credentials.dgt-token]
kind = "bearer"
token = "x"
[connectors.x]
url = "https://x.example/"
"""
LAST = BASE.count("\n") + 1


def test_names_that_are_declared_are_good(mistakes: Mistakes) -> None:
    assert mistakes(BASE + "pool = 'slow'\ncredentials = 'dgt-token'\nserves.province = ['28']") == []
    assert mistakes(BASE + "pool = 'default'") == []


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("pool = 'slwo'", 'connectors.x.pool is "slwo", which [pools] doesn\'t have: did you mean "slow"?'),
        ("credentials = 'dgt-tokn'", 'connectors.x.credentials is "dgt-tokn", which [credentials] doesn\'t have: did you mean "dgt-token"?'),
        ("serves.provnce = ['28']", "connectors.x.serves.provnce: no query that asks x declares the parameter provnce, did you mean"),
        ("[queries.q]\n#\nconnectors = ['x', 'dgtt']", 'queries.q.connectors has "dgtt", and there is no such connector: did you mean "dgt"?'),
        ("[queries.q]\n#\nconnectors = ['#trafic']", 'queries.q.connectors has "#trafic", and no connector has that tag: did you mean "#trafico"?'),
        ("[queries.q]\nconnectors = [\n'zzz']", 'queries.q.connectors has "zzz", and there is no such connector: there is "dgt", "catastro", "x", "*"'),
    ],
)  # fmt: skip
def test_others_are_not_and_the_nearest_is_proposed(mistakes: Mistakes, key: str, what: str) -> None:
    (found,) = mistakes(BASE + key)
    assert found.startswith(f"esclusa.toml:{LAST + key.count(chr(10))}: {what}")


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (
            "query.a = '{params.provinc}'",
            "connectors.x.query has {params.provinc}, which no query that asks it declares: did you mean",
        ),
        (
            "query.a = '{params.period}'",
            "connectors.x.query has {params.period}, which no query that asks it declares: did you mean",
        ),
        (
            "body = 'a {params.province.from} b'",
            "connectors.x.body has {params.province.from}, which no query that asks it declares: ",
        ),
        (
            "body = { a = 1, b = [{ c = '{params.plate}' }] }",
            "connectors.x.body has {params.plate}, which no query that asks it",
        ),
    ],
)
def test_a_placeholder_is_a_parameter_of_a_query_that_asks(mistakes: Mistakes, key: str, what: str) -> None:
    (found,) = mistakes(BASE + "method = 'POST'\n" + key)
    assert found.startswith(f"esclusa.toml:{LAST + 1}: {what}")


def test_placeholders_that_are_declared_are_good(mistakes: Mistakes) -> None:
    keys = "query = { s = '{subject}', f = '{params.period.from}', t = '{params.period.to}', p = '{params.province}' }"
    assert mistakes(BASE + keys) == []


def test_whom_no_query_asks_yet_may_use_what_any_declares(mistakes: Mistakes) -> None:
    text = BASE.replace(', "*"', "") + "query = { plate = '{params.plate}', p = '{params.province}' }"
    assert mistakes(text) == []
