"""The image: what is in it, as whom it runs, where it writes (H42). That it can be built stands in tests/real/test_image.py."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from esclusa.cli.cli import command_line
from rules.deployment import COMPOSE, KUBERNETES, configuration, final, healthcheck, instructions
from rules.tree import ROOT

DATA = "/var/lib/esclusa"
CONFIGURATIONS = [COMPOSE / "esclusa.toml", KUBERNETES / "cluster" / "esclusa.toml", KUBERNETES / "embedded" / "esclusa.toml"]


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    linter: list[str | Path] = [Path(sys.executable).with_name("hadolint"), "--no-color", ROOT / "Dockerfile"]
    found = subprocess.run(linter, check=False, capture_output=True, text=True)  # noqa: S603 - the tests' own tool
    assert found.returncode == 0, found.stdout


def test_it_is_built_from_a_small_image_of_one_version_and_nothing_that_builds_is_left_in_it() -> None:
    bases = [each.value.split()[0] for each in instructions() if each.keyword == "FROM"]
    assert len(bases) == 2
    for base in bases:
        assert re.fullmatch(r"python:3\.\d+-slim-\w+", base), base
    assert [each.value for each in final("COPY")] == ["--from=build /opt/esclusa /opt/esclusa"]
    assert "pip uninstall --yes" in final("RUN")[0].value
    assert "venv --without-pip" in " ".join(each.value for each in instructions() if each.keyword == "RUN")


def test_packages_are_those_of_constraints_with_the_clients_of_both_engines() -> None:
    (built,) = [each.value for each in instructions() if each.keyword == "RUN" and each.stage == 0]
    installs = re.findall(r"pip (?:--python \S+ )?install[^&]*", built)
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in each for each in installs)
    assert "--build-constraint constraints.txt" in built
    assert "--only-binary :all:" in installs[-1]
    assert "[soap,kafka,cassandra]" in installs[-1]


def test_it_runs_as_nobody_special_and_writes_in_one_place() -> None:
    (user,) = final("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.value), "a number, so that Kubernetes can tell that it is not root"
    assert [each.value for each in final("VOLUME")] == [DATA]
    assert {configuration(each).esclusa.data for each in CONFIGURATIONS} == {DATA}
    (run,) = final("RUN")
    assert f"install --directory --owner esclusa --group esclusa --mode 0700 {DATA}" in run.value


def test_it_is_told_to_end_by_the_signal_that_drains_and_starts_what_there_is() -> None:
    assert [each.value for each in final("STOPSIGNAL")] == ["SIGTERM"]
    (entry,), (words,) = final("ENTRYPOINT"), final("CMD")
    assert entry.words == ["esclusa"]
    assert words.words[0] in set(command_line())


def test_its_health_is_asked_of_the_administrator_s_address_of_every_configuration() -> None:
    program = healthcheck()[-1]
    port = re.findall(r"'127\.0\.0\.1', (\d+)", program)
    assert {(configuration(each).server.admin or "").rpartition(":")[2] for each in CONFIGURATIONS} == set(port)
    exposed = {word for each in final("EXPOSE") for word in each.value.split()}
    for each in CONFIGURATIONS:
        server = configuration(each).server
        assert {server.listen.rpartition(":")[2], (server.admin or "").rpartition(":")[2]} == exposed
        assert server.listen.startswith("0.0.0.0:"), "nobody outside could ask it"


def test_nothing_is_sent_to_the_builder_but_what_is_copied() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    sent = {line[1:] for line in ignored if line.startswith("!")}
    copied = {word for each in instructions() if each.keyword == "COPY" and each.stage == 0 for word in each.value.split()[:-1]}
    assert "*" in ignored
    assert sent == copied
    assert all((ROOT / each).exists() for each in sent)
