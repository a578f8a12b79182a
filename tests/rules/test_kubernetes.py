"""The objects of Kubernetes: valid by its own schemas, at one with each other and with the program (H41, H42).

Nothing is rendered here: each file is whole by itself, and Kustomize only puts them together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import kubernetes_validate
import pytest

from esclusa.bootstrap import ROLES
from esclusa.bootstrap.bootstrap import LEEWAY
from esclusa.engines.kafka.log import KafkaLog
from esclusa.hub.consumer import Consumer
from esclusa.hub.topics import pool_topics
from reference.metrics import instruments
from rules.deployment import (
    KUBERNETES,
    NORMAL_END,
    command,
    configuration,
    final,
    kustomization,
    objects,
    of_kind,
    served,
)

VERSIONS = ("1.30", "1.37")
"""Of Kubernetes: the oldest and the newest that the objects are held against."""
FOREIGN = {
    "ScaledObject": "keda.sh/v1alpha1",
    "TriggerAuthentication": "keda.sh/v1alpha1",
    "PodMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
}
"""Kinds that others bring, and for which Kubernetes has no schema."""
FOLDERS = ("cluster", "embedded")
OWN = [each for each in objects() if each["kind"] not in FOREIGN]
PROCESSES = [each for each in objects(*FOLDERS) if each["kind"] in {"Deployment", "StatefulSet"}]


def named(each: Mapping[str, Any]) -> str:
    return f"{each['kind']}/{each['metadata']['name']}"


def settings(folder: str) -> Any:
    return configuration(KUBERNETES / folder / "esclusa.toml")


def folder_of(process: Mapping[str, Any]) -> str:
    return "cluster" if process["kind"] == "Deployment" else "embedded"


def pod(process: Mapping[str, Any]) -> Any:
    return process["spec"]["template"]["spec"]


def container(process: Mapping[str, Any]) -> Any:
    (only,) = pod(process)["containers"]
    return only


def labels(process: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = process["spec"]["template"]["metadata"]["labels"]
    return found


def chosen(selector: Mapping[str, Any], folder: str) -> list[str]:
    """The processes of a folder that a selector means."""
    wanted = selector.get("matchLabels", selector)
    return [named(each) for each in PROCESSES if folder_of(each) == folder and wanted.items() <= labels(each).items()]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("each", OWN, ids=named)
def test_an_object_is_of_kubernetes_own_schema(each: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(each, version, strict=True)


def test_what_others_bring_is_of_their_version() -> None:
    assert {each["kind"]: each["apiVersion"] for each in objects() if each["kind"] in FOREIGN} == FOREIGN


@pytest.mark.parametrize("folder", ["base", "cluster", "embedded", "autoscaling", "monitoring"])
def test_every_file_of_a_folder_is_put_together(folder: str) -> None:
    said = kustomization(folder)
    files = {each for each in said["resources"] if not each.startswith("..")}
    there = {path.name for path in (KUBERNETES / folder).iterdir()} - {"kustomization.yaml"}
    assert files | {file for each in said.get("configMapGenerator", []) for file in each["files"]} == there
    assert all((KUBERNETES / folder / each).exists() for each in said["resources"])
    names = [named(each) for each in objects(folder)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_role_of_every_pool_is_somebody_s(folder: str) -> None:
    own = settings(folder)
    commands = {named(each): command(container(each)["args"], own) for each in PROCESSES if folder_of(each) == folder}
    served(list(commands.values()), own)


@pytest.mark.parametrize("process", PROCESSES, ids=named)
def test_a_process_does_what_its_labels_say(process: dict[str, Any]) -> None:
    own = settings(folder_of(process))
    does, said = command(container(process)["args"], own), labels(process)
    role = said["app.kubernetes.io/component"]
    assert does.roles == (list(ROLES) if role == "all" else [role])
    assert does.pools == ([said["esclusa/pool"]] if "esclusa/pool" in said else list(own.pools))


@pytest.mark.parametrize("process", PROCESSES, ids=named)
def test_a_process_may_do_little(process: dict[str, Any]) -> None:
    """As the profile `restricted` of Kubernetes' pod security standards wants it, which the namespace enforces."""
    (user,) = final("USER")
    context, own = pod(process)["securityContext"], container(process)["securityContext"]
    assert context["runAsNonRoot"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user.value
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert pod(process)["automountServiceAccountToken"] is False
    (namespace,) = of_kind("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("process", PROCESSES, ids=named)
def test_a_process_writes_where_its_configuration_says_and_reads_it_where_it_is_mounted(process: dict[str, Any]) -> None:
    mounts = {each["mountPath"]: each for each in container(process)["volumeMounts"]}
    assert [place for place, each in mounts.items() if not each.get("readOnly")] == [settings(folder_of(process)).esclusa.data]
    assert final("WORKDIR")[0].value in mounts
    claimed = {each["metadata"]["name"] for each in process["spec"].get("volumeClaimTemplates", [])}
    assert {each["name"] for each in mounts.values()} == {each["name"] for each in pod(process)["volumes"]} | claimed
    (generated,) = kustomization(folder_of(process))["configMapGenerator"]
    assert {"name": "configuration", "configMap": {"name": generated["name"]}} in pod(process)["volumes"]
    assert generated["files"] == ["esclusa.toml"]


@pytest.mark.parametrize("process", PROCESSES, ids=named)
def test_a_process_is_asked_how_it_is_where_it_says_so(process: dict[str, Any]) -> None:
    own, server = container(process), settings(folder_of(process)).server
    ports = {each["name"]: each["containerPort"] for each in own["ports"]}
    assert ports == {"http": int(server.listen.rpartition(":")[2]), "admin": int(server.admin.rpartition(":")[2])}
    probes = {name: own[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness")}
    assert probes["liveness"] == {"path": "/health/live", "port": "admin"}
    assert probes["readiness"] == {"path": "/health/ready", "port": "admin"}
    assert "startupProbe" not in own, "a process that waits for its storage is alive, and is left alone"


@pytest.mark.parametrize("process", PROCESSES, ids=named)
def test_a_process_has_time_to_end(process: dict[str, Any]) -> None:
    """HTTP, waiters, collectors and pools are drained one after another."""
    waits = container(process).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    longest = int(waits[-1]) + 4 * (settings(folder_of(process)).hub.drain + LEEWAY)
    assert longest <= pod(process)["terminationGracePeriodSeconds"] == NORMAL_END


@pytest.mark.parametrize("process", PROCESSES, ids=named)
def test_a_process_is_bounded_in_memory_and_not_in_time(process: dict[str, Any]) -> None:
    resources = container(process)["resources"]
    assert resources["limits"] == {"memory": resources["requests"]["memory"]}
    assert resources["requests"].keys() == {"cpu", "memory"}


def test_processes_of_the_cluster_differ_only_in_what_they_do() -> None:
    """Each file is whole, to be read and applied alone. So what stands in all of them is held together here."""
    alike = []
    for each in PROCESSES:
        if folder_of(each) == "cluster":
            same = {key: value for key, value in container(each).items() if key not in {"args", "resources", "lifecycle"}}
            spread = [{**rule, "labelSelector": None} for rule in pod(each)["topologySpreadConstraints"]]
            alike.append([each["spec"]["strategy"], {**pod(each), "containers": [same], "topologySpreadConstraints": spread}])
            assert all(rule["labelSelector"]["matchLabels"] == labels(each) for rule in pod(each)["topologySpreadConstraints"])
            assert each["spec"]["replicas"] >= 2, "whatever may die is there twice"
    assert all(each == alike[0] for each in alike)


@pytest.mark.parametrize("folder", FOLDERS)
def test_selectors_mean_the_processes_that_they_should(folder: str) -> None:
    for each in PROCESSES:
        if folder_of(each) == folder:
            assert chosen(each["spec"]["selector"], folder) == [named(each)], "no other's pods"
    budgets = [
        process for each in of_kind("PodDisruptionBudget", folder) for process in chosen(each["spec"]["selector"], folder)
    ]
    assert sorted(budgets) == sorted(named(each) for each in PROCESSES if folder_of(each) == folder == "cluster")
    (service,) = of_kind("Service", folder)
    roles = {
        each: command(container(each_of(each))["args"], settings(folder)).roles
        for each in chosen(service["spec"]["selector"], folder)
    }
    assert [("hub" in does) for does in roles.values()] == [True]
    (ingress,) = of_kind("Ingress", "base")
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}
    whom = [process for each in of_kind("NetworkPolicy", folder) for process in chosen(each["spec"]["podSelector"], folder)]
    assert set(whom) == {named(each) for each in PROCESSES if folder_of(each) == folder}


def each_of(name: str) -> Mapping[str, Any]:
    (found,) = [each for each in PROCESSES if named(each) == name]
    return found


def test_what_stands_before_the_hubs_waits_longer_than_a_poll_and_holds_nothing_back() -> None:
    (ingress,) = of_kind("Ingress", "base")
    said = ingress["metadata"]["annotations"]
    assert {value for name, value in said.items() if name.endswith("proxy-buffering")} == {"off", "False"}
    patience = [int(value.removesuffix("s")) for name, value in said.items() if name.endswith("proxy-read-timeout")]
    assert len(patience) == 2
    assert min(patience) > 30
    for folder in FOLDERS:
        assert {f"{settings(folder).server.max_body // 1024}k"} == {
            value for name, value in said.items() if "body-size" in name
        }


def test_images_are_of_one_version_that_the_user_names() -> None:
    for folder in FOLDERS:
        (image,) = kustomization(folder)["images"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", str(image["newTag"]))
        assert {container(each)["image"] for each in PROCESSES} == {image["name"]}


def test_lag_that_scales_a_pool_is_of_the_topic_and_group_that_its_processes_have() -> None:
    own = settings("cluster")
    topics = pool_topics(own.pools, own.queries)
    log = object.__new__(KafkaLog)
    log._settings = own.kafka
    scaled = {}
    for each in of_kind("ScaledObject"):
        (trigger,) = each["spec"]["triggers"]
        said = trigger["metadata"]
        pool = said["topic"].rpartition(".")[2]
        pair = topics[pool]
        assert said["topic"] == log.name(pair.requests)
        assert said["consumerGroup"] == log.group(pair.requests, Consumer(pair).group)
        assert said["bootstrapServers"].split(",") == own.kafka.servers
        assert each["spec"]["maxReplicaCount"] == pair.requests.partitions, "more would find no work"
        assert each["spec"]["minReplicaCount"] >= 2
        assert trigger["authenticationRef"]["name"] in {auth["metadata"]["name"] for auth in of_kind("TriggerAuthentication")}
        scaled[pool] = each["spec"]["scaleTargetRef"]["name"]
    assert scaled == {
        labels(each)["esclusa/pool"]: each["metadata"]["name"] for each in PROCESSES if "esclusa/pool" in labels(each)
    }


def test_who_scales_a_deployment_says_alone_how_many_there_are() -> None:
    targets = [each["spec"]["scaleTargetRef"]["name"] for each in objects("autoscaling") if "scaleTargetRef" in each["spec"]]
    (patch,) = kustomization("autoscaling")["patches"]
    names = [each["metadata"]["name"] for each in PROCESSES if each["kind"] == patch["target"]["kind"]]
    assert sorted(targets) == sorted(name for name in names if re.fullmatch(patch["target"]["name"], name))
    assert len(targets) == 4


def test_every_process_is_read_by_prometheus_under_the_name_of_its_role() -> None:
    (monitor,) = of_kind("PodMonitor")
    for folder in FOLDERS:
        assert chosen(monitor["spec"]["selector"], folder) == [named(each) for each in PROCESSES if folder_of(each) == folder]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] == "admin"
    assert endpoint["relabelings"][-1]["targetLabel"] == "role"


def test_alerts_are_about_metrics_and_roles_that_there_are() -> None:
    (rules,) = of_kind("PrometheusRule")
    every = [rule for group in rules["spec"]["groups"] for rule in group["rules"]]
    named_metrics = {name for rule in every for name in re.findall(r"esclusa_\w+", rule["expr"])}
    assert named_metrics
    assert named_metrics <= {name for name, *_ in instruments()}
    told = {role for rule in every for role in re.findall(r'role=~"(\w+)\|all"', rule["expr"])}
    assert told == set(ROLES)
    for rule in every:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}
