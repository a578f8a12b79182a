"""A data folder as it is found; looking changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from esclusa.engines.sqlite import SqliteEngine
from esclusa.engines.sqlite.folder import Folder
from esclusa.engines.sqlite.installation import DATABASE, SqliteInstallation
from esclusa.kernel.clock import Clock
from esclusa.ports.installation import Finding
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


async def found(path: Path) -> dict[str, Finding]:
    return {finding.part: finding for finding in await SqliteInstallation(Folder(path)).inspect([])}


async def test_a_folder_that_is_not_there_can_be_made_and_is_not(tmp_path: Path) -> None:
    findings = await found(tmp_path / "to" / "come")
    assert findings["folder"].state == "sound"
    assert "first start" in findings["folder"].what
    assert not (tmp_path / "to").exists()


async def test_what_is_no_folder_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (file, file / "below"):
        finding = (await found(path))["folder"]
        assert (finding.state, finding.what) == ("wrong", f"{file} is no folder")


async def test_where_this_user_may_not_write_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    finding = (await found(tmp_path / "data"))["folder"]
    assert finding.state == "wrong"
    assert f"may not write to {tmp_path}" in finding.what


async def test_who_has_the_folder_is_named_and_not_disturbed(make: Callable[..., SqliteEngine]) -> None:
    engine = make(Clock(epoch=virtual.EPOCH))
    await engine.start()
    findings = {finding.part: finding for finding in await engine.installation.inspect([])}
    assert findings["folder"].state == "doubtful"
    assert "in use by process" in findings["folder"].what
    assert findings["database"].state == "sound"
    await engine.upkeep.check()
    await engine.stop()
    assert {finding.state for finding in await engine.installation.inspect([])} == {"sound"}


async def test_data_of_a_newer_version_are_told(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("CREATE TABLE a (b)")
        database.execute("PRAGMA user_version = 99")
    database.close()
    finding = (await found(tmp_path))["database"]
    assert finding.state == "wrong"
    assert "format 99" in finding.what


@pytest.mark.parametrize(("free", "state"), [(1 << 20, "wrong"), (500 << 20, "doubtful"), (5 << 30, "sound")])
async def test_the_room_on_the_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert (await found(tmp_path))["disk"].state == state


def test_nobody_has_to_make_anything(tmp_path: Path) -> None:
    assert SqliteInstallation(Folder(tmp_path)).script([]) == ""
