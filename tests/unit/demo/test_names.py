from __future__ import annotations

from esclusa.demo.names import GIVEN, SURNAMES, TOWNS


def test_a_name_is_one_word_so_that_it_can_be_inherited() -> None:
    assert all(name.isalpha() for name in (*SURNAMES, *GIVEN["M"], *GIVEN["F"]))


def test_no_name_stands_twice() -> None:
    assert len(set(SURNAMES)) == len(SURNAMES)
    assert not set(GIVEN["M"]) & set(GIVEN["F"])
    assert len({town.name for town in TOWNS}) == len(TOWNS)


def test_a_province_belongs_to_one_region() -> None:
    regions: dict[str, set[str]] = {}
    for town in TOWNS:
        regions.setdefault(town.province, set()).add(town.region)
    assert all(len(region) == 1 for region in regions.values())
