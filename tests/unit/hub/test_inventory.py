"""Which back ends a question concerns (H4)."""

from __future__ import annotations

from typing import Any

import pytest

from esclusa.connectors.rest import RestSettings
from esclusa.hub.inventory import Inventory, serves
from esclusa.hub.settings import QuerySettings
from esclusa.kernel.errors import InvalidParams, UnknownQuery


def body(**settings: Any) -> RestSettings:
    return RestSettings(url="http://body.example/", **settings)


INVENTORY = Inventory(
    {
        "dgt": body(title="Tráfico", tags=["estado"]),
        "madrid": body(tags=["ccaa"], serves={"province": ["28"]}),
        "cadiz": body(tags=["ccaa"], serves={"province": ["11"]}, pool="south"),
    },
    {
        "all": QuerySettings(),
        "state": QuerySettings(connectors=["#estado", "cadiz"]),
        "one": QuerySettings(connectors=["madrid"]),
    },
)


@pytest.mark.parametrize(
    ("query", "params", "expected"),
    [
        ("all", {}, ["dgt", "madrid", "cadiz"]),
        ("all", {"province": "28"}, ["dgt", "madrid"]),
        ("all", {"province": "08"}, ["dgt"]),
        ("state", {}, ["dgt", "cadiz"]),
        ("one", {"province": "11"}, []),
    ],
)
def test_names_tags_star_and_what_a_connector_serves(query: str, params: dict[str, str], expected: list[str]) -> None:
    assert INVENTORY.concerned(query, params) == expected


def test_a_subset_is_asked_in_the_order_of_the_inventory() -> None:
    assert INVENTORY.concerned("all", {}, ["cadiz", "dgt"]) == ["dgt", "cadiz"]


def test_a_subset_outside_the_query_is_refused_and_named() -> None:
    with pytest.raises(InvalidParams) as refused:
        INVENTORY.concerned("one", {}, ["madrid", "dgt"])
    assert [fault.pointer for fault in refused.value.faults] == ["/connectors/1"]


def test_an_unknown_query_is_refused() -> None:
    with pytest.raises(UnknownQuery):
        INVENTORY.query("nothing")


def test_connectors_are_grouped_by_pool_and_strangers_go_to_the_default_one() -> None:
    assert INVENTORY.by_pool(["dgt", "cadiz", "gone"]) == {"default": ["dgt", "gone"], "south": ["cadiz"]}


def test_a_parameter_that_is_left_out_matches() -> None:
    assert serves({"province": ["28"]}, {})
    assert not serves({"province": ["28"]}, {"province": "08"})


def test_what_is_configured_may_change() -> None:
    inventory = Inventory(INVENTORY.connectors, INVENTORY.queries)
    inventory.change({"dgt": body(title="DGT"), "new": body(tags=["estado"])}, {"state": QuerySettings(connectors=["#estado"])})
    assert inventory.concerned("state", {}) == ["new"]
    assert inventory.titles == {"dgt": "DGT", "new": "new"}
    assert inventory.by_pool(["madrid", "new"]) == {"default": ["madrid", "new"]}, "what is no more is served by default"
    with pytest.raises(UnknownQuery):
        inventory.query("all")
