"""What stands before the hubs of Compose: nginx itself reads its configuration (H42)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from dev.nginx import program

from rules.deployment import COMPOSE

pytestmark = pytest.mark.real


async def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    said = (COMPOSE / "nginx.conf").read_text(encoding="utf-8")
    path.write_text(said.replace(" /tmp/", f" {tmp_path}/"), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        program(), "-t", "-e", "stderr", "-c", path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    found, _ = await process.communicate()
    assert process.returncode == 0, found.decode()
    assert "[warn]" not in found.decode()
