from __future__ import annotations

import socket
from pathlib import Path

import pytest

from esclusa.cli.client import Service, connected
from esclusa.config.config import load
from esclusa.demo import demo
from esclusa.demo.bodies import BODIES
from esclusa.demo.demo import CONFIGURATION, citizens_question, environment, open_demo
from esclusa.demo.lives import CITIZENS
from esclusa.edges.http.wire import SnapshotBody, SubmissionBody
from esclusa.hub.validation import checked_params
from esclusa.testing.virtual import EPOCH

PORTS = {body.name: 20_000 + place for place, body in enumerate(BODIES)}


def test_the_environment_tells_the_configuration_all_that_it_asks_for(tmp_path: Path) -> None:
    configuration = load(CONFIGURATION, environment(PORTS, "a key of sixteen characters", tmp_path, "127.0.0.1:1"))
    assert configuration.esclusa.data == str(tmp_path)
    assert configuration.server.listen == "127.0.0.1:1"
    assert configuration.clients["demo"].key == "a key of sixteen characters"
    assert all(f":{port}" in configuration.connectors[body].address for body, port in PORTS.items())


def test_without_what_soap_takes_it_goes_without_the_bodies_that_speak_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda _: None)
    configuration = load(CONFIGURATION, environment(PORTS, "a key of sixteen characters", tmp_path, "127.0.0.1:1"))
    assert configuration.connectors.keys() == {body.name for body in BODIES if not body.soap}


def test_the_citizens_question_is_well_put(tmp_path: Path) -> None:
    question = citizens_question(CITIZENS[0].nif, EPOCH)
    configuration = load(CONFIGURATION, environment(PORTS, "a key of sixteen characters", tmp_path, "127.0.0.1:1"))
    params = checked_params(configuration.queries[question.query], question.params)
    assert params == {"period.from": "2022-01-01", "period.to": "2027-01-15"}
    assert question.connectors is None


async def test_a_hub_asks_the_country(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = "{}:{}".format(*taken.getsockname())
        async with open_demo(tmp_path, listen=where) as demo, connected(Service(demo.url, key=demo.key), demo.clock) as client:
            assert not demo.url.endswith(where), "somebody else is at that address"
            question = SubmissionBody(query="vehiculos", subject=CITIZENS[0].nif, params={"province": "50"})
            snapshots: list[SnapshotBody] = [each async for each in client.follow(await client.submit(question))]
    final = snapshots[-1]
    assert final.complete
    assert [answer.connector for answer in final.answers] == ["dgt", "dehu", "ayto-zaragoza"]
    assert b"5076 LHK" in bytes(final.answers[0].data or b"")
    assert b"5076 LHK" in bytes(final.answers[2].data or b"")
    assert demo.title == "Mis expedientes"
