"""Which engine serves which port, and what is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from esclusa.config.engines import PORTS, engine_of
from esclusa.config.settings import EsclusaSettings

Mistakes = Callable[..., list[str]]

CLUSTER = """
[kafka]
servers = ["kafka.example:9092"]
[cassandra]
hosts = ["cassandra.example"]
"""


def test_every_port_is_served_by_the_engine_or_by_its_own() -> None:
    settings = EsclusaSettings(engine="embedded", records="memory")
    assert {port: engine_of(settings, port) for port in PORTS} == {"log": "sqlite", "records": "memory", "keys": "memory"}
    settings = EsclusaSettings(engine="memory", records="embedded", keys="memory")
    assert {port: engine_of(settings, port) for port in PORTS} == {"log": "memory", "records": "sqlite", "keys": "memory"}


@pytest.mark.parametrize("engine", ["embedded", "memory", "sqlite"])
def test_those_that_are_installed_are_good(mistakes: Mistakes, engine: str) -> None:
    assert mistakes(f"[esclusa]\nengine = '{engine}'\nlog = '{engine}'") == []


def test_one_that_there_is_not_is_refused_with_the_nearest(mistakes: Mistakes) -> None:
    assert mistakes("[esclusa]\n\nengine = 'sqllite'") == [
        'esclusa.toml:3: esclusa.engine can\'t be "sqllite": did you mean "sqlite"?'
    ]


def test_one_that_is_not_installed_says_what_to_install(mistakes: Mistakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esclusa.config.engines.find_spec", lambda _: None)
    found = mistakes("[esclusa]\nlog = 'kafka'\nrecords = 'cassandra'" + CLUSTER)
    assert found == [
        'esclusa.toml:2: the engine "kafka" is not installed: pip install "esclusa[kafka]"',
        'esclusa.toml:3: the engine "cassandra" is not installed: pip install "esclusa[cassandra]"',
    ]


def test_engines_that_processes_share_go_together_and_keys_are_with_the_records(mistakes: Mistakes) -> None:
    assert mistakes("[esclusa]\nlog = 'kafka'\nrecords = 'cassandra'" + CLUSTER) == []


def test_one_that_processes_share_has_to_be_somewhere(mistakes: Mistakes) -> None:
    assert mistakes("[esclusa]\nlog = 'kafka'\nrecords = 'cassandra'") == [
        'esclusa.toml:2: the engine "kafka" is nowhere: add [kafka] with servers = ["host:9092"]',
        'esclusa.toml:3: the engine "cassandra" is nowhere: add [cassandra] with hosts = ["host"]',
    ]


def test_what_one_engine_for_everything_lacks_is_said_where_it_is_named(mistakes: Mistakes) -> None:
    found = mistakes("[esclusa]\n\nengine = 'kafka'" + CLUSTER)
    assert [mistake.partition(":")[2][:2] for mistake in found] == ["3:", "3:"]
    assert all('the engine "kafka" has no ' in mistake for mistake in found)


def test_what_cassandra_can_not_keep_is_refused(mistakes: Mistakes) -> None:
    (found,) = mistakes("[esclusa]\nlog = 'kafka'\nrecords = 'cassandra'" + CLUSTER + "replication = 2\n")
    assert found.startswith("esclusa.toml:6: cassandra.replication can't be 2: ")


def files(folder: Path) -> None:
    """An authority, and the certificates and keys of two programs."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("own", "other"):
        issued = authority.issue_cert(f"{name}.example")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")


SECURED = """[esclusa]
log = "kafka"
records = "cassandra"
[kafka]
tls = {{ {kafka} }}
[cassandra]
hosts = ["cassandra.example"]
tls = {{ {cassandra} }}
"""


@pytest.mark.parametrize("engine", ["kafka", "cassandra"])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('ca = "ca.pem", certificate = "own.pem", key = "own.key"', None),
        ('ca = "none.pem"', "tls.ca: {}/none.pem: no authorities can be read from it (No such file or directory)"),
        ('ca = "own.key"', "tls.ca: {}/own.key: no authorities can be read from it"),
        (
            'ca = "ca.pem", certificate = "own.pem", key = "other.key"',
            "tls.certificate: {}/own.pem: no certificate with its key",
        ),
        ('ca = "ca.pem", certificate = "own.pem"', "belong together"),
    ],
)
def test_files_of_tls_are_tried(mistakes: Mistakes, tmp_path: Path, engine: str, given: str, words: str | None) -> None:
    files(tmp_path)
    found = mistakes(SECURED.format(**{"kafka": 'ca = "ca.pem"', "cassandra": 'ca = "ca.pem"'} | {engine: given}))
    if words is None:
        assert found == []
    else:
        (mistake,) = found
        assert f"{engine}." in mistake
        assert words.format(tmp_path) in mistake


def test_brokers_may_be_trusted_as_the_system_does_and_nodes_not(mistakes: Mistakes) -> None:
    """The driver of the nodes knows no authorities of the system's."""
    (found,) = mistakes(SECURED.format(kafka="", cassandra=""))
    assert found == 'esclusa.toml:8: [cassandra.tls] has no ca: add ca = "..."'


def test_a_password_is_never_shown(mistakes: Mistakes, tmp_path: Path) -> None:
    files(tmp_path)
    own = 'ca = "ca.pem", certificate = "own.pem", key = "none.key", password = "open sesame"'
    found = mistakes(
        SECURED.format(kafka=own, cassandra=own) + "password = 'open sesame'\nusername = 3\n[queries.q]\nkeep = '25h'\n"
    )
    found += mistakes(SECURED.format(kafka=own, cassandra=own) + "password = 'open sesame'")
    assert len(found) > 3
    assert "sesame" not in "".join(found)


def test_nothing_is_kept_on_cassandra_for_longer_than_a_row_lives_there(mistakes: Mistakes) -> None:
    (found,) = mistakes("[esclusa]\nlog = 'kafka'\nrecords = 'cassandra'" + CLUSTER + "[queries.q]\nkeep = '25h'")
    assert found.startswith("esclusa.toml:9: queries.q.keep can't be 1d1h: ")


def test_one_that_processes_share_and_one_that_belongs_to_one_are_refused(mistakes: Mistakes) -> None:
    (found,) = mistakes("[esclusa]\nlog = 'kafka'" + CLUSTER)
    start, _, remedy = found.rpartition(": ")
    assert start == 'esclusa.toml:2: "kafka" for the log is shared by processes, "sqlite" for the records belongs to one'
    assert remedy == 'take engines of one kind, such as records = "cassandra"'


def test_a_port_that_its_engine_lacks_is_refused(mistakes: Mistakes) -> None:
    assert mistakes("[esclusa]\nengine = 'kafka'\nrecords = 'cassandra'\nkeys = 'kafka'" + CLUSTER) == [
        'esclusa.toml:4: the engine "kafka" has no keys: set esclusa.keys, there is "embedded", "memory", "sqlite", "cassandra"'
    ]
