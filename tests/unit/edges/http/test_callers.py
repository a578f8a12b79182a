"""Who asks (H31): a program by its key, the operator by the local socket."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from esclusa.edges.http import callers
from esclusa.edges.http.callers import LOCAL, Callers
from esclusa.edges.http.settings import ClientSettings
from esclusa.kernel.errors import Forbidden, Unauthorized

KEY = "a-key-of-sixteen-characters"
OTHER = "another-key-of-some-length"


def known() -> Callers:
    return Callers(
        {
            "sede": ClientSettings(key=KEY, permissions=["ask-for-anyone"]),
            "other": ClientSettings(key_sha256=sha256(OTHER.encode()).hexdigest().upper()),
        }
    )


def scope(said: str | None = None, **state: Any) -> Any:
    return {"headers": [] if said is None else [(b"authorization", said.encode("latin-1"))], "state": state}


@pytest.mark.parametrize("said", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY} "])
def test_a_client_is_known_by_its_key(said: str) -> None:
    caller = known().of(scope(said))
    assert caller.name == "client:sede"
    caller.must("ask-for-anyone")


def test_the_file_may_hold_the_hash_of_a_key_alone() -> None:
    caller = known().of(scope(f"Bearer {OTHER}"))
    assert caller.name == "client:other"
    with pytest.raises(Forbidden, match="ask-for-anyone"):
        caller.must("ask-for-anyone")


@pytest.mark.parametrize(
    "said", [None, "", "Bearer", "Bearer ", "Bearer nobody", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer ñ"]
)
def test_nobody_else_is(said: str | None) -> None:
    with pytest.raises(Unauthorized):
        known().of(scope(said))


def test_the_hash_of_a_key_is_no_key() -> None:
    with pytest.raises(Unauthorized):
        known().of(scope(f"Bearer {sha256(OTHER.encode()).hexdigest()}"))


def test_without_clients_nobody_is_known() -> None:
    with pytest.raises(Unauthorized):
        Callers({}).of(scope("Bearer "))


def test_the_operator_needs_no_key() -> None:
    caller = Callers({}).of(scope(None, **{LOCAL: True}))
    assert caller.name == "client:local"
    caller.must("ask-for-anyone")


def test_every_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr(callers, "compare_digest", compare)
    known().of(scope(f"Bearer {KEY}"))
    assert len(compared) == 2


def test_who_is_known_may_change() -> None:
    known_now = known()
    known_now.change({"new": ClientSettings(key="a-new-key-of-some-length")})
    assert known_now.of(scope("Bearer a-new-key-of-some-length")).name == "client:new"
    with pytest.raises(Unauthorized):
        known_now.of(scope(f"Bearer {KEY}"))
