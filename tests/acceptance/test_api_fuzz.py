"""schemathesis finds nothing: whatever a caller sends, what is answered is what the OpenAPI document says (P3)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from esclusa.hub.settings import ParamSettings, QuerySettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.instrument import Level
from support.api import KEY, served
from support.hub import configuration, running

CONFIGURATION = """
[checks.positive_data_acceptance]
# 422: well-formed, and not what this installation takes, which no schema can say
expected-statuses = ["2xx", "3xx", "401", "403", "404", "422", "429", "5xx"]

[checks.ensure_resource_availability]
# an Idempotency-Key that is repeated names a request that may have been cancelled meanwhile
enabled = false
"""


async def test_nothing_is_found(tmp_path: Path) -> None:
    """Examples, borders, wrong data and sequences of calls, from a fixed seed, over the hub itself."""
    query = QuerySettings(
        subject="text", ttl=Duration(1), keep=Duration(600), params={"province": ParamSettings(type="province")}
    )
    settings = configuration(hub={"max_open_per_subject": 10_000, "drain": Duration(0.1)})
    settings = msgspec.structs.replace(settings, queries={"expedientes": query})
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, encoding="utf-8")
    async with running(settings) as process, served(process.hub, process.runtime.clock) as edge:
        command = [
            sys.executable,
            "-c",
            "from schemathesis.cli import schemathesis; schemathesis()",
            "--config-file",
            str(tmp_path / "schemathesis.toml"),
            "run",
            f"{edge.client.base_url}/openapi.json",
            "--header",
            f"Authorization: Bearer {KEY}",
            "--checks=all",
            "--seed=1",
            "--max-examples=15",
            "--generation-database=none",
            "--no-color",
        ]
        finding = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await finding.communicate()
        assert finding.returncode == 0, said.decode()
        failures = [line for line in (*edge.logged, *process.logged) if line[0] >= Level.ERROR]
        assert not failures
        assert edge.counted("esclusa_http_requests_total", "/api/v1/requests", "POST", "202") > 10
        assert edge.counted("esclusa_http_requests_total", "/api/v1/requests/{id}", "GET", "200") > 5
