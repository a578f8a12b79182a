"""What wakes people: Prometheus itself reads the rules, and plays what would have happened (H41)."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from rules.deployment import of_kind

pytestmark = pytest.mark.real

WELL = {
    **{f'esclusa_ready{{role="{role}"}}': "1x30" for role in ("hub", "collector", "connectors", "purge")},
    'esclusa_dependency_up{part="log",instance="a",role="hub"}': "1x30",
    "esclusa_hub_purge_age_seconds": "1x30",
    'esclusa_hub_answers_total{connector="dgt",reason="ok"}': "0+1000x30",
    'esclusa_hub_answers_total{connector="dgt",reason="rejected"}': "0+1x30",
    'esclusa_connector_breaker{connector="dgt"}': "0x30",
    'esclusa_pool_lag{pool="default",group="pool.default"}': "100x30",
    'esclusa_pool_answers_lag{pool="default"}': "10x30",
}
"""Half an hour in which nothing is amiss, a value a minute."""


def prometheus() -> str:
    program = shutil.which("promtool")
    assert program, "promtool is not installed: make test-real does it"
    return program


async def told(*words: str | Path) -> str:
    """What promtool says, which has to be content."""
    process = await asyncio.create_subprocess_exec(
        prometheus(), *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def rules(folder: Path) -> Path:
    """The rules as a Prometheus without the operator takes them."""
    (object_,) = of_kind("PrometheusRule")
    path = folder / "rules.yaml"
    path.write_text(json.dumps(object_["spec"]), encoding="utf-8")
    return path


async def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    assert "SUCCESS" in await told("check", "rules", "--lint=all", "--lint-fatal", rules(tmp_path))


@pytest.mark.parametrize(
    ("happened", "alerts"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({'esclusa_ready{role="collector"}': "1x20 0x10"}, {"EsclusaNoCollector"}, id="the last collector dies"),
        pytest.param({'esclusa_ready{role="hub"}': "1x20 _x10"}, {"EsclusaNoHub"}, id="the last hub is taken away"),
        pytest.param(
            {'esclusa_ready{role="hub",instance="a"}': "1x20 0x10", 'esclusa_ready{role="hub",instance="b"}': "1x30"},
            set(),
            id="one of two hubs dies",
        ),
        pytest.param(
            {'esclusa_dependency_up{part="log",instance="a",role="hub"}': "1x20 0x10"},
            {"EsclusaDependencyLost"},
            id="brokers are away",
        ),
        pytest.param(
            {'esclusa_hub_unreadable_total{topic="answers.default"}': "_x25 1x5"},
            {"EsclusaUnreadable"},
            id="the first unreadable",
        ),
        pytest.param(
            {'esclusa_hub_unreadable_total{topic="answers.default"}': "1x25 2x5"},
            {"EsclusaUnreadable"},
            id="another unreadable",
        ),
        pytest.param(
            {'esclusa_hub_unreadable_total{topic="answers.default"}': "1x30"}, set(), id="one was unreadable long ago"
        ),
        pytest.param(
            {'esclusa_connector_breaker{connector="dgt"}': "0x10 2 2 1 2 2 2 1 2 2 2 1 2 2 2 2 2 2 2 2 2"},
            {"EsclusaBreakerOpen"},
            id="a body stays away",
        ),
        pytest.param({'esclusa_connector_breaker{connector="dgt"}': "0x27 2 2 0"}, set(), id="a body was away for a moment"),
        pytest.param(
            {'esclusa_pool_lag{pool="default",group="pool.default"}': "100+100x30"},
            {"EsclusaLagGrows"},
            id="a pool falls behind",
        ),
        pytest.param({'esclusa_pool_lag{pool="default",group="pool.default"}': "9000-200x30"}, set(), id="a pool catches up"),
        pytest.param(
            {'esclusa_pool_answers_lag{pool="default"}': "10x20 5000x10"}, {"EsclusaAnswersLate"}, id="collectors fall behind"
        ),
        pytest.param(
            {'esclusa_hub_answers_total{connector="dgt",reason="rejected"}': "0+50x30"},
            {"EsclusaLate"},
            id="too many questions",
        ),
        pytest.param(
            {'esclusa_storage_errors_total{cause="full",instance="a"}': "0x10 0+1x20"},
            {"EsclusaStorageErrors"},
            id="a full disk",
        ),
        pytest.param({"esclusa_hub_purge_age_seconds": "1x20 100+60x10"}, {"EsclusaPurgeLate"}, id="nothing is destroyed"),
        pytest.param(
            {
                **{f'esclusa_ready{{role="{role}"}}': "_x30" for role in ("hub", "collector", "connectors", "purge")},
                'esclusa_ready{role="all"}': "1x30",
            },
            set(),
            id="one process that does everything",
        ),
    ],
)
async def test_what_happens_wakes_whom_it_should(happened: dict[str, str], alerts: set[str], tmp_path: Path) -> None:
    series = WELL | happened
    if 'esclusa_ready{role="hub",instance="a"}' in happened:
        del series['esclusa_ready{role="hub"}']
    played = {
        "rule_files": [str(rules(tmp_path))],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "30m",
                        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(alerts)],
                    }
                ],
            }
        ],
    }
    path = tmp_path / "played.yaml"
    path.write_text(json.dumps(played), encoding="utf-8")
    await told("test", "rules", path)
