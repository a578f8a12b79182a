"""`esclusa setup`: what there has to be is made, or printed for who may make it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit

Capture = pytest.CaptureFixture[str]

CLUSTER = """
[esclusa]
log = "kafka"
records = "cassandra"
[kafka]
servers = ["one:9092", "two:9092"]
prefix = "pre."
sasl = { username = "esclusa", password = "a secret" }
[cassandra]
hosts = ["node"]
datacentre = "madrid"
keyspace = "ours"
username = "Esclusa"
password = "a secret"
[pools.slow]
partitions = 3
[queries.q]
keep = "20m"
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> None:
    Path("esclusa.toml").write_text(text, encoding="utf-8")


def printed(capsys: Capture, engine: str) -> str:
    assert main(["setup", "--print", "--engine", engine]) == Exit.DONE
    return capsys.readouterr().out


def test_it_makes_what_is_absent_and_says_so_again_and_again(capsys: Capture) -> None:
    written("")
    assert main(["setup"]) == Exit.DONE
    first = capsys.readouterr().out
    assert first == (
        "embedded\n  made   topic requests.default\n  made   topic answers.default\nAll that esclusa.toml needs is there.\n"
    )
    assert main(["setup", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["made"] == [
        {"engine": "embedded", "what": "topic requests.default", "new": False},
        {"engine": "embedded", "what": "topic answers.default", "new": False},
    ]


def test_what_can_not_be_made_ends_in_words(capsys: Capture) -> None:
    written('[esclusa]\ndata = "file/below"\n')
    Path("file").touch()
    assert main(["setup"]) == Exit.FAILED
    assert "esclusa check --connect" in capsys.readouterr().err


def test_nothing_is_printed_where_nobody_has_to_make_anything(capsys: Capture) -> None:
    written("")
    assert main(["setup", "--print"]) == Exit.DONE
    assert capsys.readouterr().out == "# Nothing has to be made by anybody.\n"
    assert not Path("esclusa-data").exists()


def test_for_kafka_it_prints_commands_and_reaches_nobody(capsys: Capture) -> None:
    written(CLUSTER)
    script = printed(capsys, "kafka")
    assert (
        "kafka-topics.sh --bootstrap-server one:9092,two:9092 --command-config admin.properties \\\n"
        "  --create --if-not-exists --topic pre.requests.slow \\\n"
        "  --partitions 3 --replication-factor 3 \\\n"
        "  --config=cleanup.policy=delete --config=min.insync.replicas=2 \\\n"
        "  --config=retention.ms=1200000 --config=segment.ms=300000 \\\n"
    ) in script
    assert "--add --allow-principal=User:esclusa \\\n" in script
    assert "--group=pre.requests.slow: " in script
    assert "CREATE KEYSPACE" not in script
    assert "a secret" not in script


def test_for_cassandra_it_prints_statements_and_reaches_nobody(capsys: Capture) -> None:
    written(CLUSTER)
    script = printed(capsys, "cassandra")
    assert "CREATE KEYSPACE IF NOT EXISTS ours WITH replication = {'class': 'NetworkTopologyStrategy', 'madrid': 3}" in script
    assert "CREATE TABLE IF NOT EXISTS ours_keys.keys (" in script
    assert "INSERT INTO ours.esclusa (name, value) VALUES ('version', 1) USING TIMESTAMP 1;\n" in script
    assert 'GRANT MODIFY ON KEYSPACE ours_keys TO "Esclusa";\n' in script
    assert "kafka" not in script
    assert "a secret" not in script


def test_a_datacentre_that_is_not_said_is_asked_for(capsys: Capture) -> None:
    written(CLUSTER.replace('datacentre = "madrid"', ""))
    assert main(["setup", "--print"]) == Exit.FAILED
    assert "cassandra.datacentre is not set" in capsys.readouterr().err


def test_with_json_scripts_are_one_document(capsys: Capture) -> None:
    written(CLUSTER)
    assert main(["setup", "--print", "--json"]) == Exit.DONE
    scripts = json.loads(capsys.readouterr().out)["scripts"]
    assert [script["engine"] for script in scripts] == ["kafka", "cassandra"]
    assert scripts[1]["script"].startswith("-- Apache Cassandra")


def test_an_engine_that_is_not_used_is_refused(capsys: Capture) -> None:
    written(CLUSTER)
    assert main(["setup", "--engine", "kafak"]) == Exit.MISTAKE
    assert 'did you mean "kafka"?' in capsys.readouterr().err
