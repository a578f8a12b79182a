from __future__ import annotations

from esclusa.demo.bodies import BODIES, Temper, port_variable
from esclusa.demo.names import TOWNS


def test_there_are_at_least_two_dozen_and_each_has_a_name_of_its_own() -> None:
    assert len(BODIES) >= 24
    assert len({body.name for body in BODIES}) == len(BODIES)


def test_latencies_go_from_20_ms_to_8_s() -> None:
    assert min(body.pace[0] for body in BODIES) == 0.02
    assert 7.5 < max(body.pace[1] for body in BODIES) <= 8.0
    assert all(shortest <= longest for shortest, longest in (body.pace for body in BODIES))


def test_a_delay_is_within_the_pace_and_always_the_same_for_a_subject() -> None:
    for body in BODIES:
        delays = [body.delay(str(subject)) for subject in range(50)]
        assert all(body.pace[0] <= delay <= body.pace[1] for delay in delays)
        assert delays == [body.delay(str(subject)) for subject in range(50)]
        assert len(set(delays)) > 1


def test_every_kind_of_trouble_is_there() -> None:
    assert {body.temper for body in BODIES} == set(Temper)
    assert sum(body.places == 1 for body in BODIES) == 2


def test_only_who_never_gets_so_far_has_no_answer() -> None:
    hopeless = {Temper.DOWN, Temper.HUNG, Temper.FAILING, Temper.GARBAGE}
    assert all((body.answer is None) == (body.temper in hopeless) for body in BODIES)


def test_every_town_belongs_to_bodies_that_exist() -> None:
    names = {body.name for body in BODIES}
    assert {town.region for town in TOWNS} | {town.council for town in TOWNS if town.council} <= names


def test_the_variable_of_a_port_can_be_set_in_a_shell() -> None:
    assert port_variable("ch-tajo") == "DEMO_PORT_CH_TAJO"
    assert all(port_variable(body.name).isidentifier() for body in BODIES)
