"""`${NAME}`, `${NAME:-default}` and `$$`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from esclusa.config.config import Configuration, ConfigurationText
from esclusa.config.variables import LARGEST
from esclusa.connectors.settings import BearerCredentials

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
        'esclusa.toml:2: a "${" here begins no variable: write ${NAME}, ${NAME:-default} or ${file:PATH}, and $$ for a dollar sign'
    ]


def test_a_file_can_be_filled_in(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "absolute").write_text("elsewhere", encoding="utf-8")
    text = f"""
        [esclusa]
        include = ["more/*.toml"]
        [connectors.x]
        url = "http://x"
        tags = ["${{file:secrets/one}}-${{file:{tmp_path}/absolute}}"]
        """
    more = "[connectors.y]\nurl = 'http://y'\ntitle = '${file:two}'"
    files = {"secrets/one": "first\nsecond\r\n", "more/y.toml": more, "more/two": "beside it"}
    settings = loaded(text, files=files)
    assert settings.connectors["x"].tags == ["first\nsecond-elsewhere"]
    assert settings.connectors["y"].title == "beside it"
    assert ConfigurationText(Path("esclusa.toml"), {}).secret_files() == sorted(
        [str(tmp_path / "secrets" / "one"), str(tmp_path / "absolute"), str(tmp_path / "more" / "two")]
    )


def test_a_file_that_cannot_be_filled_in_is_a_mistake(mistakes: Mistakes) -> None:
    text = "[credentials.c]\nkind = 'bearer'\ntoken = '${file:none}'\n[credentials.d]\nkind = 'bearer'\ntoken = '${file:big}'"
    why = "is empty, or can't be read as a text of at most 64 KiB: paths start at this file"
    os.mkfifo("pipe")
    assert mistakes("[credentials.c]\nkind = 'bearer'\ntoken = '${file:pipe}'") == [f"esclusa.toml:3: the file pipe {why}"]
    assert mistakes(text, files={"big": "x" * (LARGEST + 1)}) == [
        f"esclusa.toml:3: the file none {why}",
        f"esclusa.toml:6: the file big {why}",
    ]


def test_no_mistake_shows_what_stands_in_a_file(mistakes: Mistakes) -> None:
    (found,) = mistakes("[log]\nlevel = '${file:secret}'", files={"secret": "s3creto"})
    assert "s3creto" not in found
    assert "${file:secret}" in found


TOKEN = "[credentials.c]\nkind = 'bearer'\ntoken = {}"


def test_a_secret_is_not_empty(mistakes: Mistakes) -> None:
    (found,) = mistakes(TOKEN.format("'${file:token}'"), files={"token": "\n"})
    assert found.startswith("esclusa.toml:3: the file token is empty, or can't be read ")
    assert mistakes(TOKEN.format("'${PW}'"), environ={"PW": ""}) == [
        "esclusa.toml:3: credentials.c.token is empty: that is what its variable has to give"
    ]
    assert mistakes(TOKEN.format("''")) == ["esclusa.toml:3: credentials.c.token is empty"]


def test_a_secret_that_looks_like_a_variable_of_a_shell_is_none(mistakes: Mistakes, loaded: Load) -> None:
    assert mistakes(TOKEN.format("'$PW'"), environ={"PW": "x"}) == [
        "esclusa.toml:3: credentials.c.token is no variable like this: write ${PW}, or $$PW for that very text"
    ]
    for written in ("$$PW", "a$PW", "$1"):
        assert mistakes(TOKEN.format(f"'{written}'")) == []
    credentials = loaded(TOKEN.format("'$$PW'")).credentials["c"]
    assert isinstance(credentials, BearerCredentials)
    assert credentials.token == "$PW"
