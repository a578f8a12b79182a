"""compose.yaml: every role as a service, on brokers and nodes that nobody else reaches (H42)."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from dev import cassandra, kafka

from esclusa.engines.kafka.settings import KafkaSettings
from rules.deployment import COMPOSE, NORMAL_END, Command, command, configuration, documents, served, variables
from rules.tree import ROOT

FILE = COMPOSE / "compose.yaml"
SETTINGS = COMPOSE / "esclusa.toml"


def whole() -> dict[str, Any]:
    (only,) = documents(FILE)
    return only


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = whole()["services"]
    return found


def processes() -> dict[str, dict[str, Any]]:
    """The services that are the program, by name."""
    return {name: each for name, each in services().items() if "build" in each and "entrypoint" not in each}


def commands() -> dict[str, Command]:
    settings = configuration(SETTINGS)
    return {name: command(each["command"], settings) for name, each in processes().items()}


def test_it_is_of_the_specification() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    found = subprocess.run(checker, check=False, capture_output=True, text=True)  # noqa: S603 - the tests' own tool
    assert found.returncode == 0, found.stdout


def test_every_role_of_every_pool_is_a_service_s_and_what_may_die_is_there_twice() -> None:
    served(list(commands().values()), configuration(SETTINGS))
    replicas = {name: each["deploy"].get("replicas", 1) for name, each in processes().items()}
    assert {name for name, number in replicas.items() if number > 1} == {"hub", "collector", "connectors"}


def test_connectors_are_there_before_hubs_and_engines_before_both() -> None:
    roles = {name: each.roles for name, each in commands().items()}
    for name, each in processes().items():
        waited = {other for other, how in each["depends_on"].items() if how["condition"] == "service_healthy"}
        assert waited >= {"kafka", "cassandra"}
        if "hub" in roles[name]:
            assert waited >= {other for other, does in roles.items() if set(does) & {"connectors", "collector"}}


@pytest.mark.parametrize("name", sorted(processes()))
def test_a_process_may_do_little(name: str) -> None:
    each = processes()[name]
    assert each["read_only"]
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in each
    (writable,) = each["tmpfs"]
    assert writable.startswith(configuration(SETTINGS).esclusa.data + ":")
    assert int(each["stop_grace_period"].removesuffix("s")) == NORMAL_END


def test_secrets_come_from_the_environment_and_have_no_default() -> None:
    for each in processes().values():
        assert each["environment"].keys() >= variables(SETTINGS)
        assert all(re.match(r"\$\{\w+:\?", value) for value in each["environment"].values())


@pytest.mark.parametrize("name", sorted(services()))
def test_every_service_is_bounded_starts_again_and_says_how_it_is(name: str) -> None:
    each = services()[name]
    assert each["restart"] == "unless-stopped"
    assert each["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert "healthcheck" in each or name in processes(), "the image has its own"
    assert re.search(r":\d+(\.\d+)+", each["image"]), "an image of one version"


def test_engines_are_those_that_the_tests_run_on() -> None:
    images = {name: each["image"] for name, each in services().items()}
    assert images["kafka"] == f"apache/kafka:{kafka.VERSION}"
    assert images["cassandra"] == f"cassandra:{cassandra.VERSION}"


def test_brokers_let_groups_be_as_quick_as_the_program_wants_them() -> None:
    said, wanted = services()["kafka"]["environment"], KafkaSettings()
    assert int(said["KAFKA_GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS"]) <= wanted.session * 1000
    assert int(said["KAFKA_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS"]) <= wanted.heartbeat * 1000


def test_the_configuration_names_what_is_there() -> None:
    settings = configuration(SETTINGS)
    there = services()
    assert settings.kafka is not None
    assert settings.cassandra is not None
    assert {server.partition(":")[0] for server in settings.kafka.servers} <= there.keys()
    assert set(settings.cassandra.hosts) <= there.keys()
    assert settings.cassandra.datacentre == there["cassandra"]["environment"]["CASSANDRA_DC"]
    assert {re.findall(r"//(\w+)", each.address)[0] for each in settings.connectors.values()} <= there.keys()


def test_files_that_it_mounts_exist() -> None:
    mounted = [each["file"] for each in whole()["configs"].values()]
    mounted += [
        each.partition(":")[0] for service in services().values() for each in service.get("volumes", []) if each[0] == "."
    ]
    assert len(mounted) == 3
    assert all((COMPOSE / each).exists() for each in mounted)
    assert {(COMPOSE / each["build"]).resolve() for each in services().values() if "build" in each} == {ROOT}


def test_engines_and_probes_are_on_a_network_that_leads_nowhere() -> None:
    assert whole()["networks"]["inner"]["internal"]
    outside = {name for name, each in services().items() if "outer" in each["networks"]}
    assert outside == {"connectors", "connectors-slow", "bodies", "nginx"}
    assert {name for name, each in services().items() if "ports" in each} == {"nginx"}
