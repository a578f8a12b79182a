"""A demo's folder goes with it; that of one that was killed goes when the next one starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from esclusa.demo import folder
from esclusa.demo.folder import temporary_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_private_and_goes_with_what_is_in_it(temporary: Path) -> None:
    with temporary_folder() as made:
        assert made.parent == temporary
        assert made.stat().st_mode & 0o777 == 0o700
        (made / "data").mkdir()
        (made / "data" / "file").touch()
    assert list(temporary.iterdir()) == []


def test_one_that_is_in_use_stays(temporary: Path) -> None:
    with temporary_folder() as one:
        with temporary_folder() as another:
            assert {one, another} == set(temporary.iterdir())
        assert [one] == list(temporary.iterdir())


KILLED = """
import os, signal, sys, tempfile
tempfile.tempdir = sys.argv[1]
from esclusa.demo.folder import temporary_folder
with temporary_folder() as made:
    (made / "keys").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_of_a_demo_that_was_killed_goes_when_the_next_starts(temporary: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(temporary)], timeout=30, check=False)  # noqa: S603 - our own program
    (left,) = temporary.iterdir()
    assert (left / "keys").exists()
    with temporary_folder() as made:
        assert [made] == list(temporary.iterdir())


def test_what_is_not_a_demos_is_left_alone(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    (temporary / "esclusa-demo-link").symlink_to(elsewhere)
    (temporary / "esclusa-demo-file").touch()
    before = set(temporary.iterdir())
    with temporary_folder():
        assert before < set(temporary.iterdir())
    (temporary / "esclusa-demo-others").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: -1)
    folder._sweep(temporary)
    assert set(temporary.iterdir()) == before | {temporary / "esclusa-demo-others"}
    assert (elsewhere / "file").exists()


def test_where_nothing_can_be_locked_that_is_told(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_locked", lambda _: None)
    with pytest.raises(OSError, match="can be locked"), temporary_folder():
        pass
    assert list(temporary.iterdir()) == []


def test_one_that_is_swept_away_as_it_is_made_is_made_again(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, made = tempfile.mkdtemp, []

    def swept(**options: str) -> str:
        made.append(make(**options))
        if len(made) == 1:
            os.rmdir(made[0])  # noqa: PTH106 - as another process would
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept)
    with temporary_folder() as second:
        assert second == Path(made[1])
        assert list(temporary.iterdir()) == [second]
