"""Names of connectors and of their secrets."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.sketch.offer import Offer, choices, named, variable


@given(st.text(max_size=100))
def test_whatever_it_is_made_of_a_name_is_valid(text: str) -> None:
    name = named(text)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name)
    assert named(name) == name
    assert re.fullmatch(r"\$\{[A-Z_][A-Z0-9_]*\}", variable(name, "key"))


def test_words_stay_apart() -> None:
    assert named("ConsultaDeMultas/2ª") == "consulta-de-multas-2a"
    assert variable("2-dgt", "key") == "${_2_DGT_KEY}"


def test_a_long_list_of_choices_is_cut_short() -> None:
    assert choices([Offer("a", "", ""), Offer("b", "", "")]) == "a, b"
    assert choices([Offer("a", "", "")] * 25).endswith("a, and 5 more")
