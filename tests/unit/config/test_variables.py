"""`${NAME}`, `${NAME:-default}` and `$$`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from esclusa.config.config import Configuration

Load = Callable[..., Configuration]
Mistakes = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("${NAME}", "value"),
        ("a${NAME}b${NAME}c", "avaluebvaluec"),
        ("${EMPTY}", ""),
        ("${NONE:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${NAME:-default}", "value"),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b $$ c}", "a:-b $$ c"),
        ("$${NAME}", "${NAME}"),
        ("$$$${NAME}", "$${NAME}"),
        ("$$${NAME}", "$value"),
        ("$NAME $ ^a$", "$NAME $ ^a$"),
        ("${NESTED}", "${NAME}"),
    ],
)
def test_in_any_text_they_stand_for_what_they_say(loaded: Load, written: str, read: str) -> None:
    environ = {"NAME": "value", "EMPTY": "", "NESTED": "${NAME}"}
    settings = loaded(f"[connectors.x]\nurl = 'http://x/'\ntags = ['{written}.']\ntitle = '{written}'", environ=environ)
    assert settings.connectors["x"].tags == [read + "."]
    assert settings.connectors["x"].title == read


def test_one_that_is_not_set_is_a_mistake_wherever_it_stands(mistakes: Mistakes) -> None:
    text = "[connectors.x]\nurl = 'http://${HOST}:${PORT}/'\ntimeout = '${TIMEOUT}'\n\nbody = { a = [\n'${BODY}'] }"
    assert mistakes(text, environ={"PORT": "80"}) == [
        "esclusa.toml:2: the environment variable HOST is not set: set it, or write ${HOST:-default}",
        "esclusa.toml:3: the environment variable TIMEOUT is not set: set it, or write ${TIMEOUT:-default}",
        "esclusa.toml:6: the environment variable BODY is not set: set it, or write ${BODY:-default}",
    ]


def test_what_is_not_set_is_the_only_mistake_about_its_key(mistakes: Mistakes) -> None:
    text = """
        [esclusa]
        engine = "${A}"
        include = ["${A}"]
        environment = "${A}"
        [server]
        listen = "${A}"
        [clients.sede]
        key = "${A}"
        [credentials.c]
        kind = "${A}"
        [connectors.x]
        url = "${A}"
        pool = "${A}"
        credentials = "${A}"
        method = "${A}"
        [queries.q]
        connectors = ["${A}"]
        keep = "${A}"
        """
    found = mistakes(text)
    assert len(found) == 12
    assert all("the environment variable A is not set" in mistake for mistake in found)


@pytest.mark.parametrize("written", ["${", "${NAME", "${}", "${1A}", "${A-B}", "${A:default}", "a ${ b } c"])
def test_one_that_is_none_is_a_mistake(mistakes: Mistakes, written: str) -> None:
    assert mistakes(f"[connectors.x]\nurl = '{written}'") == [
        'esclusa.toml:2: a "${" here begins no variable: write ${NAME} or ${NAME:-default}, and $$ for a dollar sign'
    ]
