"""A SOAP connector, whole, against everything that a back end can do to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from esclusa.connectors.backend import Reason
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.soap import SoapSettings
from esclusa.testing.hostile import MISBEHAVIOURS, Hostile, Peer, answer, cut, hostile, once
from esclusa.testing.hostile.misbehaviours import Ending
from unit.connectors.ordeal import PATIENT, Make, ask, connector, cut_everywhere, ordeal, piles_up
from unit.connectors.soap.service import PERSON, envelope, written

GOOD = b'"Ana & Eva"'
XML = "text/xml; charset=utf-8"
SAID = envelope(PERSON)
ENDINGS: dict[str, Ending] = {"body_after_204": "error"}
"""An answer without an envelope is none."""


@pytest.fixture
def make(tmp_path: Path) -> Make:
    wsdl = written(tmp_path)

    def settings(back: Hostile) -> SoapSettings:
        return SoapSettings(
            wsdl=wsdl,
            url=f"{back.url}/census",
            operation="Person",
            arguments={"id": "{subject}"},
            transform="name",
            tls=TlsSettings(ca=back.ca),
            **PATIENT,
        )

    return settings


@pytest.mark.parametrize("name", [name for name, one in MISBEHAVIOURS.items() if one.wire in ("http", "tls", "soap")])
async def test_a_call_ends_by_its_time_with_the_right_reason_leaks_nothing_and_the_next_call_works(
    name: str, make: Make
) -> None:
    said = await ordeal(name, make, GOOD, ending=ENDINGS.get(name), answer=SAID, content_type=XML)
    assert (said.data is None) is (said.reason is not None)


@pytest.mark.parametrize("reset", [False, True])
async def test_an_envelope_cut_at_any_byte_is_an_error_or_whole(make: Make, reset: bool) -> None:
    whole = answer(SAID, b"200 OK", b"content-type: text/xml")
    said = await cut_everywhere(cut(once(whole), reset=reset), len(whole) + 1, make, GOOD, answer=SAID, content_type=XML)
    assert {one.reason for one in said[: len(whole)]} == {Reason.BACKEND_ERROR}
    assert reset or said[len(whole)].data == GOOD


async def test_an_envelope_that_is_whole_for_http_and_cut_for_xml_is_an_error(make: Make) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(peer.answer(SAID[: peer.number], b"200 OK", b"connection: close"))

    said = await cut_everywhere(script, len(SAID) + 1, make, GOOD, answer=SAID, content_type=XML)
    assert {one.reason for one in said[: len(SAID)]} == {Reason.BACKEND_ERROR}


async def test_a_smuggled_answer_is_never_taken_for_another_call_s(make: Make) -> None:
    async with hostile("surplus", answer=SAID, content_type=XML) as back:
        one = connector(make(back))
        for _ in range(20):
            assert (await ask(one)).data == GOOD
        await one.close()


async def test_nothing_piles_up_whatever_happens_how_often(make: Make) -> None:
    names = ("surplus", "truncated", "garbage", "entity_bomb", "wrong_envelope", "hang_after_headers", "tls_cut")
    assert not await piles_up(names, make, answer=SAID, content_type=XML)
