"""Loading: one file and the environment become settings, or every mistake is named at once, with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from esclusa.config.config import Configuration, initial, load
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import ConfigurationError

Load = Callable[..., Configuration]
Mistakes = Callable[..., list[str]]


def test_a_file_becomes_the_settings_of_each_capability(loaded: Load) -> None:
    settings = loaded(
        """
        [server]
        listen = "0.0.0.0:80"
        [clients.sede]
        key = "${SEDE_KEY}"
        permissions = ["ask-for-anyone"]
        [connectors.dgt]
        url = "https://${HOST:-dgt.example}/{subject}"
        timeout = "1m30s"
        breaker = { failures = 3, openFor = "5s" }
        [queries.expedientes]
        ttl = "20s"
        connectors = ["dgt"]
        """,
        environ={"SEDE_KEY": "a secret of the environment"},
    )
    assert settings.server.listen == "0.0.0.0:80"
    assert settings.clients["sede"].key == "a secret of the environment"
    assert settings.connectors["dgt"].url == "https://dgt.example/{subject}"
    assert settings.connectors["dgt"].timeout == Duration(90)
    assert settings.connectors["dgt"].breaker.failures == 3
    assert settings.queries["expedientes"].ttl == Duration(20)
    assert settings.hub.settle == Duration(1)


def test_an_empty_file_is_a_configuration_of_defaults(loaded: Load, tmp_path: Path) -> None:
    settings = loaded("")
    assert settings.esclusa.engine == "embedded"
    assert settings.esclusa.data == str(tmp_path / "esclusa-data")
    assert list(settings.pools) == ["default"]


def test_the_default_pool_is_there_beside_those_declared_or_as_declared(loaded: Load) -> None:
    assert list(loaded("[pools.slow]").pools) == ["default", "slow"]
    assert loaded("[pools.default]\npartitions = 3").pools["default"].partitions == 3


def test_the_first_configuration_is_sound_with_nothing_in_the_environment(loaded: Load) -> None:
    settings = loaded(initial())
    assert list(settings.connectors) == ["example"]
    assert list(settings.queries) == ["example"]


def test_what_the_first_configuration_has_commented_out_is_sound_too(loaded: Load) -> None:
    lines = initial().splitlines()
    start = next(place for place, line in enumerate(lines) if line == "[esclusa]")
    code = [
        line.removeprefix("# ") if line.startswith(("# [", "# ")) and _is_code(line[2:]) else line for line in lines[start:]
    ]
    text = "\n".join(code)
    environ = {"SEDE_KEY": "0123456789abcdef", "REGISTRY_TOKEN": "token"}
    files = {"bodies/more.toml": "[connectors.more]\nurl = 'http://127.0.0.1/'"}
    settings = loaded(text, environ=environ, files=files)
    assert list(settings.connectors) == ["example", "registry", "more"]
    assert settings.clients["sede"].permissions == ["ask-for-anyone"]
    assert set(settings.queries["example"].params) == {"period", "province"}


def _is_code(line: str) -> bool:
    return line.startswith("[") or line.partition(" = ")[0].isidentifier()


def test_every_mistake_is_named_at_once_in_the_order_of_the_files(mistakes: Mistakes) -> None:
    found = mistakes(
        """
        [queries.expedientes]
        connectors = ["dgtt"]
        [esclusa]
        include = ["more.toml"]
        engine = "embeded"
        [connectors.dgt]
        timeout = 3
        tiemout = "3s"
        """,
        files={"more.toml": "[server]\nlisten = 8080\n[conectors.x]"},
    )
    assert [mistake.split(": ")[0] for mistake in found] == [
        "esclusa.toml:3",
        "esclusa.toml:6",
        "esclusa.toml:7",
        "esclusa.toml:8",
        "esclusa.toml:9",
        "more.toml:2",
        "more.toml:3",
    ]


def test_each_mistake_is_said_once_however_many_environments_share_it(mistakes: Mistakes) -> None:
    text = """
        [connectors.dgt]
        urll = "https://dgt.example"
        url = "https://dgt.example"
        environments = { pre = { title = "Pre" }, pro = { title = "Pro" } }
        """
    assert mistakes(text) == ['esclusa.toml:3: unknown key connectors.dgt.urll: did you mean "url"?']


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "none.toml", {})
    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line) == (str(tmp_path / "none.toml"), 0)
    assert mistake.what.endswith('can\'t be read: no such file or directory: write one with "esclusa init"')


SECRETS = {
    "SHORT_KEY": "hunter2",
    "BAD_KEY": "with a newline\nhunter2",
    "TIMEOUT": "hunter2 seconds",
    "PROTOCOL": "hunter2",
    "ENGINE": "hunter2",
    "ADDRESS": "hunter2",
    "POOL": "hunter2",
    "PATTERN": "(hunter2",
    "QUERY": "{hunter2}",
    "FILE": "hunter2.pem",
    "STATUS": "hunter2",
}


def test_no_mistake_shows_a_secret_or_what_a_variable_holds(mistakes: Mistakes) -> None:
    found = mistakes(
        """
        [esclusa]
        engine = "${ENGINE}"
        [server]
        listen = "${ADDRESS}"
        [clients.short]
        key = "${SHORT_KEY}"
        [clients.bad]
        key = "${BAD_KEY}"
        [clients.literal]
        key = "hunter2"
        [clients.hash]
        keySha256 = "hunter2"
        [clients.typed]
        key = 7777777
        [clients.unclosed]
        key = "abcdefghijklmnop${hunter2"
        [clients.twice]
        key = "${SHORT_KEY}"
        [credentials.a]
        kind = "basic"
        username = "hunter2"
        passwrod = "hunter2"
        password = ["hunter2"]
        [credentials.b]
        kind = "bearer"
        token = 7777777
        [credentials.c]
        kind = "certificate"
        certificate = "${FILE}"
        key = "${FILE}"
        password = { word = "hunter2" }
        [credentials.d]
        secret = "hunter2"
        [connectors.dgt]
        url = "https://dgt.example/{subject}"
        protocol = "${PROTOCOL}"
        timeout = "${TIMEOUT}"
        pool = "${POOL}"
        credentials = "${POOL}"
        headers = { Authorization = "Bearer ${QUERY}" }
        [queries.q]
        subject = "${PATTERN}"
        connectors = ["${POOL}", "#${POOL}"]
        """,
        environ=SECRETS,
    )
    assert len(found) >= 24
    assert not [mistake for mistake in found if "hunter2" in mistake or "7777777" in mistake]


def test_nor_does_one_about_a_file_that_a_variable_names(mistakes: Mistakes) -> None:
    (found,) = mistakes("[esclusa]\ninclude = ['${FILE}']", environ=SECRETS)
    assert found.startswith('esclusa.toml:2: "${FILE}" can\'t be read: ')


def test_a_secret_is_not_shown_where_the_file_is_not_toml(mistakes: Mistakes) -> None:
    for line in ("key = hunter2", 'key = "hunter2', "key = 'hunter2' x", 'key = "\\hunter2"', "key hunter2"):
        (found,) = mistakes(f"[clients.sede]\n{line}\n")
        assert "hunter2" not in found
        assert found.startswith("esclusa.toml:2: ")
