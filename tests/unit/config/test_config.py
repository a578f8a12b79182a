"""Loading: one file and the environment become settings, or every mistake is named at once, with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esclusa.config.config import Configuration, data_folder, initial, load
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
    assert settings.connectors["dgt"].address == "https://dgt.example/{subject}"
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
    assert mistake.what == 'can\'t be read: no such file: write one with "esclusa init"'
    assert str(caught.value) == f"{tmp_path / 'none.toml'}: {mistake.what}"


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
    assert len(found) >= 22
    assert not [mistake for mistake in found if "hunter2" in mistake or "7777777" in mistake]


@pytest.mark.parametrize("url", ["https://dgt.example:hunter2/", "https://dgt.example/{hunter2}", "hunter2://dgt.example/"])
def test_nor_does_one_that_would_quote_a_part_of_it(mistakes: Mistakes, url: str) -> None:
    (found,) = mistakes("[connectors.dgt]\nurl = '${URL}'\n[queries.q]", environ={"URL": url})
    assert found.startswith("esclusa.toml:2: connectors.dgt.url: this can't be used, with ${URL} filled in")
    assert "hunter2" not in found


def test_nor_does_one_about_a_file_that_a_variable_names(mistakes: Mistakes) -> None:
    (found,) = mistakes("[esclusa]\ninclude = ['${FILE}']", environ=SECRETS)
    assert found.startswith('esclusa.toml:2: "${FILE}" can\'t be read: ')


def test_a_secret_is_not_shown_where_the_file_is_not_toml(mistakes: Mistakes) -> None:
    for line in ("key = hunter2", 'key = "hunter2', "key = 'hunter2' x", 'key = "\\hunter2"', "key hunter2"):
        (found,) = mistakes(f"[clients.sede]\n{line}\n")
        assert "hunter2" not in found
        assert found.startswith("esclusa.toml:2: ")


SOUND: dict[str, Any] = {
    "esclusa": {"engine": "memory", "data": "d", "include": [], "environment": "pro"},
    "server": {"listen": "127.0.0.1:80", "admin": "127.0.0.1:81", "maxBody": 100},
    "clients": {"sede": {"key": "0123456789abcdef", "permissions": ["ask-for-anyone"]}},
    "credentials": {"one": {"kind": "basic", "username": "a", "password": "b"}, "two": {"kind": "bearer", "token": "c"}},
    "pools": {"slow": {"partitions": 3}},
    "connectors": {
        "dgt": {
            "url": "https://dgt.example/{subject}",
            "method": "POST",
            "body": {"a": ["{params.since}"]},
            "headers": {"X-A": "{subject}"},
            "breaker": {"failures": 3, "rate": 0.5},
            "timeout": "3s",
            "tls": {"name": "dgt"},
            "tags": ["a"],
            "serves": {"province": ["28"]},
            "credentials": "one",
            "pool": "slow",
            "idempotent": True,
            "statuses": {"404": "empty"},
            "transform": "a.b",
            "environments": {"pro": {"timeout": "2s", "retry": {"attempts": 2}}},
        }
    },
    "queries": {
        "q": {
            "ttl": "10s",
            "connectors": ["dgt", "#a", "*"],
            "subject": "[0-9]+",
            "params": {"province": {"type": "province"}, "since": {"type": "date"}},
        }
    },
    "log": {"level": "debug"},
}
ODD = st.recursive(
    st.sampled_from(
        ["", "x", "${", "${A}", "${NONE}", "$$", "*", "#", "{", "{subject}", "..", "a\nb", "\0", "0s", "nif", 0, -1, 1.5]
    )
    | st.booleans()
    | st.floats()
    | st.dates(),
    lambda below: (
        st.lists(below, max_size=2)
        | st.dictionaries(st.sampled_from(["url", "kind", "pro", "a b", "\n", ""]), below, max_size=2)
    ),
    max_leaves=4,
)


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for key, below in value.items() if isinstance(value, dict) else ():
        yield from _paths(below, (*path, key))


def _changed(value: Any, path: tuple[str, ...], odd: Any) -> Any:
    if not path:
        return odd
    return {**value, path[0]: _changed(value[path[0]], path[1:], odd)}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(below)}" for key, below in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(_paths(SOUND))[1:]), ODD)
def test_whatever_is_written_it_is_sound_or_named_and_never_a_traceback(
    tmp_path: Path, path: tuple[str, ...], odd: Any
) -> None:
    written = _changed(SOUND, path, odd)
    file = tmp_path / "esclusa.toml"
    file.write_text("\n".join(f"{key} = {_toml(value)}" for key, value in written.items()), encoding="utf-8")
    try:
        load(file, {"A": "value"})
    except ConfigurationError as error:
        for mistake in error.mistakes:
            assert mistake.file == str(file)
            assert 1 <= mistake.line <= len(SOUND)
            assert len(str(mistake).splitlines()) == 1


def test_that_document_is_sound(tmp_path: Path) -> None:
    file = tmp_path / "esclusa.toml"
    file.write_text("\n".join(f"{key} = {_toml(value)}" for key, value in SOUND.items()), encoding="utf-8")
    assert load(file, {}).connectors["dgt"].timeout == Duration(2)


def test_who_asks_a_process_finds_its_data_without_knowing_its_secrets(mistakes: Mistakes, tmp_path: Path) -> None:
    text = "[esclusa]\ndata = '${PLACE:-there}'\n[clients.sede]\nkey = '${SECRET}'\n[connectors.x]\nurl = 3"
    assert mistakes(text)
    assert data_folder(tmp_path / "esclusa.toml", {}) == tmp_path / "there"
    assert data_folder(tmp_path / "esclusa.toml", {"PLACE": "/srv/esclusa"}) == Path("/srv/esclusa")


def test_without_a_word_of_them_the_data_are_beside_the_file(mistakes: Mistakes, tmp_path: Path) -> None:
    assert mistakes("") == []
    assert data_folder(tmp_path / "esclusa.toml", {}) == tmp_path / "esclusa-data"


@pytest.mark.parametrize("text", ["[esclusa]\ndata = 3", "[esclusa]\ndata = '${PLACE}'", "[esclusa", None])
def test_but_who_cannot_find_them_is_told(mistakes: Mistakes, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        mistakes(text)
    with pytest.raises(ConfigurationError):
        data_folder(tmp_path / "esclusa.toml", {})
