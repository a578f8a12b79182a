"""What is deployed, as data: the Dockerfile's instructions, the services of Compose, the objects of Kubernetes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml
from trustme import CA

from esclusa.bootstrap import ROLES
from esclusa.config.config import load
from esclusa.config.settings import Configuration
from rules.tree import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
KUBERNETES = DEPLOY / "kubernetes"
SECRET = "0123456789abcdef"
NORMAL_END = 60
"""Seconds that whoever stops a process gives it."""


class Instruction(NamedTuple):
    """One of a Dockerfile."""

    stage: int
    keyword: str
    value: str

    @property
    def words(self) -> list[str]:
        """The value, where it is a list."""
        words: list[str] = json.loads(self.value)
        return words


def instructions() -> list[Instruction]:
    """Those of the Dockerfile, continued lines as one, without comments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: list[Instruction] = []
    stage = -1
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip():
            keyword, value = line.strip().split(maxsplit=1)
            stage += keyword == "FROM"
            found.append(Instruction(stage, keyword, " ".join(value.split()) if keyword != "HEALTHCHECK" else value))
    return found


def final(keyword: str) -> list[Instruction]:
    """Those of the last stage that begin with `keyword`."""
    every = instructions()
    return [each for each in every if each.stage == every[-1].stage and each.keyword == keyword]


def healthcheck() -> list[str]:
    """The command by which the image knows that it is well."""
    (check,) = final("HEALTHCHECK")
    words: list[str] = json.loads(check.value.partition("CMD ")[2])
    return words


def documents(path: Path) -> list[dict[str, Any]]:
    """All that stand in a file of YAML."""
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def objects(*folders: str) -> Iterator[dict[str, Any]]:
    """Kubernetes objects as they stand in these folders, all unless given, but for Kustomize's own."""
    for folder in folders or ("base", "cluster", "embedded", "autoscaling", "monitoring"):
        for path in sorted((KUBERNETES / folder).glob("*.yaml")):
            if path.name != "kustomization.yaml":
                yield from documents(path)


def of_kind(kind: str, *folders: str) -> list[dict[str, Any]]:
    """Those of one kind."""
    return [each for each in objects(*folders) if each["kind"] == kind]


def kustomization(folder: str) -> dict[str, Any]:
    """What Kustomize is told in a folder."""
    (only,) = documents(KUBERNETES / folder / "kustomization.yaml")
    return only


@cache
def configuration(path: Path) -> Configuration:
    """A configuration that is deployed, all of whose secrets are given. Raises for whatever `esclusa check` would name."""
    with TemporaryDirectory() as authorities:
        for name in ("kafka.pem", "cassandra.pem"):
            CA().cert_pem.write_to_path(str(Path(authorities, name)))
        return load(path, dict.fromkeys(variables(path), SECRET) | {"AUTHORITIES": authorities})


def variables(path: Path) -> set[str]:
    """What a configuration wants of its environment, and has no default for."""
    lines = [line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    return set(re.findall(r"\$\{(\w+)\}", "\n".join(lines)))


class Command(NamedTuple):
    """What a process is started with: `run`, and what it does."""

    roles: list[str]
    pools: list[str]


def command(words: list[str], settings: Configuration) -> Command:
    """Of the image's arguments, which have to be a command line that the program takes."""
    assert words[0] == "run", words
    given: Mapping[str, list[str]] = {"--role": [], "--pool": []}
    for option, value in zip(words[1::2], words[2::2], strict=True):
        given[option].append(value)
    assert set(given["--role"]) <= set(ROLES), words
    assert set(given["--pool"]) <= settings.pools.keys(), words
    return Command(given["--role"] or list(ROLES), given["--pool"] or list(settings.pools))


def served(commands: list[Command], settings: Configuration) -> None:
    """That all roles of all pools are somebody's."""
    assert {role for each in commands for role in each.roles} == set(ROLES)
    assert {pool for each in commands if "connectors" in each.roles for pool in each.pools} == settings.pools.keys()
