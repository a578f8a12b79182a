"""`[connectors.NAME.environments.pro]` laid over its connector by `[esclusa] environment`."""

from __future__ import annotations

from collections.abc import Callable

from esclusa.config.config import Configuration
from esclusa.kernel.duration import Duration

Load = Callable[..., Configuration]
Mistakes = Callable[..., list[str]]

BODY = """
    [connectors.dgt]
    url = "http://127.0.0.1:9090/{subject}"
    timeout = "3s"
    tags = ["dev", "slow"]
    breaker = { failures = 2, openFor = "7s" }
    [connectors.dgt.environments.pro]
    url = "https://${DGT_HOST}/{subject}"
    tags = ["pro"]
    breaker = { failures = 9 }
    """


def test_without_an_environment_the_connector_is_as_it_stands(loaded: Load) -> None:
    dgt = loaded(BODY).connectors["dgt"]
    assert dgt.address == "http://127.0.0.1:9090/{subject}"
    assert dgt.environments == {}


def test_what_the_environment_says_wins_and_the_rest_stays(loaded: Load) -> None:
    dgt = loaded("[esclusa]\nenvironment = 'pro'" + BODY, environ={"DGT_HOST": "dgt.example"}).connectors["dgt"]
    assert dgt.address == "https://dgt.example/{subject}"
    assert dgt.timeout == Duration(3)
    assert dgt.tags == ["pro"]
    assert (dgt.breaker.failures, dgt.breaker.open_for) == (9, Duration(7))


def test_an_environment_that_no_connector_names_changes_nothing(loaded: Load) -> None:
    assert loaded("[esclusa]\nenvironment = '${WHERE:-dev}'" + BODY).connectors["dgt"].tags == ["dev", "slow"]


def test_the_variables_of_the_selected_environment_must_be_set_and_of_no_other(mistakes: Mistakes) -> None:
    assert mistakes(BODY) == []
    assert mistakes("[esclusa]\nenvironment = 'pro'" + BODY) == [
        "esclusa.toml:9: the environment variable DGT_HOST is not set: set it, or write ${DGT_HOST:-default}"
    ]


def test_a_variable_that_the_selected_environment_replaces_need_not_be_set(mistakes: Mistakes) -> None:
    text = """
        [esclusa]
        environment = "pro"
        [connectors.dgt]
        url = "${DEV_URL}"
        environments.pro = { url = "https://dgt.example" }
        """
    assert mistakes(text) == []


def test_a_url_may_come_from_the_environments_alone(mistakes: Mistakes) -> None:
    body = "[connectors.dgt]\nenvironments.pro.url = 'https://dgt.example'\n"
    assert mistakes("[esclusa]\nenvironment = 'pro'\n" + body) == []
    assert mistakes(body) == ['esclusa.toml:1: [connectors.dgt] has no url: add url = "..."']


def test_mistakes_in_every_environment_are_found_whichever_is_selected(mistakes: Mistakes) -> None:
    text = """
        [connectors.dgt]
        url = "https://dgt.example"
        [connectors.dgt.environments.pre]
        timeot = "3s"
        [connectors.dgt.environments.pro]
        pool = "slwo"
        timeout = 3
        [pools.slow]
        """
    places = ["esclusa.toml:5", "esclusa.toml:7", "esclusa.toml:8"]
    for selected in ("", "[esclusa]\nenvironment = 'pre'", "[esclusa]\nenvironment = 'pro'"):
        shift = selected.count("\n") + 1 if selected else 0
        found = mistakes(selected + "\n" * bool(selected) + text)
        assert [mistake.split(": ")[0] for mistake in found] == [
            f"esclusa.toml:{int(place.rpartition(':')[2]) + shift}" for place in places
        ]


def test_environments_that_are_no_tables_are_a_mistake(mistakes: Mistakes) -> None:
    assert mistakes("[connectors.dgt]\nurl = 'http://dgt'\nenvironments = { pro = 3 }") == [
        "esclusa.toml:3: connectors.dgt.environments.pro is a whole number, not a table of names and values"
    ]
    assert mistakes("[connectors.dgt]\nurl = 'http://dgt'\nenvironments = 'pro'") == [
        "esclusa.toml:3: connectors.dgt.environments is text, not a table of names and values"
    ]
