"""The demo's `esclusa.toml`: complete, coherent with the bodies, and every answer in one shape."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import jmespath
import pytest

from esclusa.bootstrap import Runtime, make_connectors
from esclusa.config.config import load
from esclusa.config.engines import PORTS, engine_of
from esclusa.config.settings import Configuration
from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Question
from esclusa.connectors.trial import tried
from esclusa.demo.bodies import BODIES, FIRST_PORT, Body, Temper, port_variable
from esclusa.demo.lives import CITIZENS, other, person
from esclusa.demo.names import TOWNS
from esclusa.demo.people import Period
from esclusa.demo.transforms import working_life
from esclusa.kernel.clock import Clock
from support.rest import rest


def answers_with_json(body: Body) -> bool:
    return body.soap is None and body.host is None


TODAY = date(2026, 11, 22)
FILE = Path(str(resources.files("esclusa.demo").joinpath("esclusa.toml")))


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(FILE, {"DEMO_KEY": "a key of sixteen characters"})


def test_it_has_a_connector_for_every_body_in_the_same_order(configuration: Configuration) -> None:
    over_soap = [body.name for body in BODIES if body.soap]
    assert list(configuration.connectors) == [*(body.name for body in BODIES if not body.soap), *over_soap]


def test_every_url_is_where_its_body_is(configuration: Configuration) -> None:
    moved = load(FILE, {"DEMO_KEY": "a key of sixteen characters"} | {port_variable(body.name): "1" for body in BODIES})
    for place, body in enumerate(BODIES):
        path = body.path.replace("{nif}", "{subject}")
        address = "127.0.0.1:{}" if body.host else "http://127.0.0.1:{}" + path
        assert configuration.connectors[body.name].address == address.replace("{}", str(FIRST_PORT + place))
        assert moved.connectors[body.name].address == address.replace("{}", "1")


def test_of_each_protocol_there_are_some(configuration: Configuration) -> None:
    protocols = Counter(type(connector).__name__ for connector in configuration.connectors.values())
    assert protocols["SoapSettings"] == sum(body.soap is not None for body in BODIES) >= 4
    assert protocols["TcpSettings"] == sum(body.host is not None for body in BODIES) >= 2
    assert {body.soap.version for body in BODIES if body.soap} == {"1.1", "1.2"}
    assert {bool(body.host.prefix) for body in BODIES if body.host} == {True, False}


def test_every_connector_has_a_title_and_a_tag(configuration: Configuration) -> None:
    assert all(connector.title and connector.tags for connector in configuration.connectors.values())


def test_who_says_404_is_understood_to_have_nothing(configuration: Configuration) -> None:
    foreigners = [f"X{number}" for number in range(20)]
    subjects = [*foreigners, *map(other, range(200))]
    people = [who for subject in subjects if (who := person(subject, TODAY))]
    for body in filter(answers_with_json, BODIES):
        silent = body.answer is not None and any(body.answer(who, Period()) is None for who in people)
        assert (rest(configuration, body.name).statuses.get("404") == "empty") == silent, body.name


@pytest.mark.parametrize(
    "body", [body for body in BODIES if body.answer and answers_with_json(body)], ids=lambda body: body.name
)
def test_every_answer_becomes_items_of_one_shape(body: Body, configuration: Configuration) -> None:
    transform = configuration.connectors[body.name].transform
    assert transform
    subjects = [*(citizen.nif for citizen in CITIZENS), *map(other, range(100))]
    shown = 0
    for subject in subjects:
        who = person(subject, TODAY)
        assert who
        assert body.answer
        if (answer := body.answer(who, Period())) is None:
            continue
        if transform == "esclusa.demo.transforms:working_life":
            assert isinstance(answer, dict)
            items = working_life(answer)
        else:
            items = jmespath.search(transform, answer)
        assert isinstance(items, list)
        assert_shape(items)
        shown += bool(items)
    assert shown


def assert_shape(items: list[dict[str, Any]]) -> None:
    for item in items:
        assert item.keys() <= {"label", "value", "date", "state"}
        assert item["label"]
        assert all(value is None or isinstance(value, str) for value in item.values())


@pytest.mark.parametrize("body", [body for body in BODIES if not answers_with_json(body)], ids=lambda body: body.name)
async def test_a_body_that_is_older_than_json_is_understood_too(body: Body, running: Any) -> None:
    async with running(body) as (country, _):
        port = str(country.ports[body.name])
        settings = load(FILE, {"DEMO_KEY": "a key of sixteen characters", port_variable(body.name): port}).connectors[body.name]
        shown = silent = 0
        for subject in [*(citizen.nif for citizen in CITIZENS), *map(other, range(20))]:
            trial = await tried(body.name, settings, None, Question("1", "q", subject, {}), 100_000, Clock())
            assert trial.outcome.reason is None, trial
            items = None if trial.outcome.data is None else json.loads(trial.outcome.data)
            who = person(subject, date.today())  # noqa: DTZ011 - as the body does
            assert who
            assert body.answer
            assert (items is None) == (body.answer(who, Period()) is None)
            assert_shape(items or [])
            shown, silent = shown + bool(items), silent + (items is None)
        assert shown
        assert silent


def test_a_body_serves_the_provinces_of_its_towns(configuration: Configuration) -> None:
    for town in TOWNS:
        assert town.province in configuration.connectors[town.region].serves["province"]
        assert town.council is None or configuration.connectors[town.council].serves["province"] == [town.province]


def test_nothing_but_the_key_has_to_be_set(configuration: Configuration) -> None:
    assert configuration.clients["demo"].key == "a key of sixteen characters"
    assert configuration.clients["demo"].permissions == ["ask-for-anyone"]


def test_a_few_variables_make_it_the_configuration_of_a_cluster(configuration: Configuration) -> None:
    assert {engine_of(configuration.esclusa, port) for port in PORTS} == {"sqlite"}
    variables = {"DEMO_LOG": "kafka", "DEMO_RECORDS": "cassandra", "DEMO_KAFKA": "kafka:1", "DEMO_CASSANDRA": "cassandra:2"}
    cluster = load(FILE, {"DEMO_KEY": "a key of sixteen characters"} | variables)
    assert [engine_of(cluster.esclusa, port) for port in ("log", "records", "keys")] == ["kafka", "cassandra", "cassandra"]
    assert cluster.kafka
    assert cluster.kafka.servers == ["kafka:1"]
    assert cluster.cassandra
    assert cluster.cassandra.hosts == ["cassandra:2"]
    assert (cluster.connectors, cluster.queries) == (configuration.connectors, configuration.queries)


def test_bodies_that_take_seconds_are_in_a_pool_of_their_own(configuration: Configuration) -> None:
    slow = {body.name for body in BODIES if body.pace[1] >= 4 or body.temper is Temper.HUNG}
    assert {name for name, connector in configuration.connectors.items() if connector.pool == "slow"} == slow


def test_a_question_ends_in_time_for_the_demo(configuration: Configuration) -> None:
    query = configuration.queries["expedientes"]
    slowest = max(body.pace[1] for body in BODIES)
    assert slowest < query.ttl - configuration.hub.settle
    assert query.ttl <= 12


def test_each_trouble_meets_the_policy_that_shows_it(configuration: Configuration) -> None:
    bodies = {body.name: body for body in BODIES}
    call_by = configuration.queries["expedientes"].ttl - configuration.hub.settle
    connectors = configuration.connectors
    assert connectors["transportes"].timeout < bodies["transportes"].pace[0]
    assert connectors["imserso"].timeout > call_by
    assert connectors["sepe"].queue < 5
    assert connectors["sepe"].concurrency == connectors["registro-propiedad"].concurrency == 1
    assert connectors["dehu"].retry.attempts > 1
    assert connectors["justicia"].breaker.open_for > 20


async def answers_of(configuration: Configuration, params: dict[str, str]) -> dict[str, Answer]:
    """What every connector says of the first citizen, each asked once."""
    runtime, loop = Runtime.real(), asyncio.get_running_loop()
    connectors = make_connectors(configuration, runtime)
    answers: dict[str, asyncio.Future[Answer]] = {name: loop.create_future() for name in connectors}
    question = Question(request=str(runtime.ids.uuid()), query="expedientes", subject=CITIZENS[0].nif, params=params)
    for name, connector in connectors.items():
        connector.offer(question, runtime.clock.now() + 0.5, answers[name].set_result)
    said = dict(zip(answers, await asyncio.gather(*answers.values()), strict=True))
    for connector in connectors.values():
        await connector.close()
    return said


async def test_every_connector_gets_through_to_its_body(running: Any) -> None:
    async with running() as (country, _):
        ports = {port_variable(name): str(port) for name, port in country.ports.items()}
        said = await answers_of(load(FILE, {"DEMO_KEY": "a key of sixteen characters"} | ports), {})
    reasons = {name: answer.reason for name, answer in said.items() if answer.reason}
    assert reasons == {
        "justicia": "backend_error",
        "muface": "backend_error",
        "imserso": "backend_timeout",
        "marina-mercante": "backend_error",
    }
    assert {name for name, answer in said.items() if answer.data} >= {
        "dgt",
        "aeat",
        "policia",
        "registro-civil",
        "ayto-zaragoza",
    }
    assert "A Coruña".encode() in (said["registro-civil"].data or b"")
    assert said["dehu"].attempts == 2
    assert said["extranjeria"].data is None


async def test_the_period_of_a_question_reaches_the_bodies(running: Any) -> None:
    async with running() as (country, _):
        ports = {port_variable(name): str(port) for name, port in country.ports.items()}
        period = {"period.from": "1990-01-01", "period.to": "1990-12-31"}
        said = await answers_of(load(FILE, {"DEMO_KEY": "a key of sixteen characters"} | ports), period)
    assert said["aeat"].data == b"[]"
    assert said["dehu"].data == b"[]"
    assert b"Sanci" not in (said["dgt"].data or b"")
