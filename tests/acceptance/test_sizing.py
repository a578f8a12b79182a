"""The sizing example: what it says follows from what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SIZING = Path(__file__).parents[2] / "examples" / "sizing" / "sizing.py"
SMALL = {"bodies": 20, "requests": 400_000, "peak": 5, "seconds": 20, "hung": 0, "ttl": 10}
"""463 calls a second at the peak: quickly played."""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SIZING, *arguments], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own


def sized(**told: float) -> Any:
    """What it says, with `ended` for its exit code."""
    ended = run("--json", *(f"--{name.replace('_', '-')}={value}" for name, value in (SMALL | told).items()))
    assert ended.stderr == ""
    return json.loads(ended.stdout) | {"ended": ended.returncode}


def test_it_prints_a_table_and_what_to_configure() -> None:
    ended = run(*(f"--{name}={value}" for name, value in SMALL.items()))
    assert (ended.stderr, ended.returncode) == ("", 0)
    assert "platform_timeout" in ended.stdout
    assert [line.split()[0] for line in ended.stdout.splitlines()[-5:]] == [
        "connectors",
        "partitions",
        "hubs",
        "Kafka",
        "Cassandra",
    ]


def test_the_same_dice_say_the_same() -> None:
    assert sized() == sized()
    assert sized() != sized(seed=2)


def test_a_day_and_its_peak_make_the_rate() -> None:
    said = sized()["sized"]
    assert said["requests_a_second"] == pytest.approx(400_000 / 86_400 * 5, rel=0.01)
    assert said["calls_a_second"] == pytest.approx(20 * said["requests_a_second"], rel=0.01)
    # An envelope, and its answers and wake-ups in as many messages; a row for the request, and one a message of answers.
    answers = (said["messages_a_second"] - said["requests_a_second"]) / 2
    assert said["rows_a_second"] == pytest.approx(said["requests_a_second"] + answers, rel=0.01)
    assert answers < said["calls_a_second"]


def test_how_busy_a_process_is_follows_from_what_a_call_costs() -> None:
    (alone,) = sized(processes=1, connector_cost=1000, busy=1)["played"]
    assert alone["busy"] == pytest.approx(463 * 0.001, rel=0.15)


def test_processes_are_enough_with_one_of_them_missing() -> None:
    said = sized(connector_cost=2000)
    carrying = said["played"][-1]
    assert carrying["busy"] <= 0.6
    assert said["sized"]["connector_processes"] == carrying["processes"] + 1
    assert said["sized"]["partitions"] >= 2 * said["sized"]["connector_processes"]
    assert said["ended"] == 0


def test_dearer_calls_take_more_processes() -> None:
    assert sized(connector_cost=2000)["sized"]["connector_processes"] > sized()["sized"]["connector_processes"]


def test_a_processor_that_can_do_no_more_makes_lines_and_says_so() -> None:
    said = sized(processes=1, connector_cost=3000)
    assert said["played"][0]["busy"] > 0.95
    assert said["played"][0]["added"][1] > 1
    assert (said["sized"]["carried"], said["ended"]) == (False, 1)


def test_bodies_that_hang_cost_their_own_answers_alone() -> None:
    (healthy,) = sized(processes=1)["played"]
    (hung,) = sized(processes=1, hung=0.1, concurrency=200)["played"]
    assert hung["backend_timeout"] == pytest.approx(0.1 * hung["calls"], rel=0.1)
    assert (hung["platform_timeout"], hung["rejected"]) == (0, 0)
    assert hung["added"][1] == pytest.approx(healthy["added"][1], abs=0.1)


def test_a_line_longer_than_there_is_time_for_squeezes_its_calls() -> None:
    """23 questions a second to a body that hangs for 3 s, two at a time: soon a call has what its deadline leaves it."""
    (slow,) = sized(processes=1, hung=0.05, concurrency=2, median=0.01, p99=0.02)["played"]
    assert slow["squeezed"] > 0.4 * slow["calls"] / 20
    assert slow["waiting"] > 0


def test_who_is_not_asked_in_time_is_platform_timeout() -> None:
    """A processor that can do two thirds of what comes is later than the ten seconds that there are, after half a minute."""
    (slow,) = sized(processes=1, connector_cost=3300, seconds=60)["played"]
    assert slow["platform_timeout"] > 0.05 * slow["calls"]


def test_a_line_that_is_full_is_rejected() -> None:
    (full,) = sized(processes=1, hung=0.05, concurrency=2, queue=5, median=0.01, p99=0.02)["played"]
    assert full["rejected"] > 0.5 * full["calls"] / 20


def test_the_readme_has_every_option() -> None:
    readme = SIZING.with_name("README.md").read_text(encoding="utf-8")
    options = {word.strip("[,]") for word in run("--help").stdout.split() if word.startswith(("--", "[--"))} - {"--help"}
    assert options
    assert {option for option in options if f"`{option}`" not in readme and f" {option}" not in readme} == set()
