"""The data folder: private, and of one process at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from esclusa.engines.sqlite.folder import Folder
from esclusa.kernel.errors import StorageBusy, StorageUnavailable

HOLD = """
import sys
from pathlib import Path
from esclusa.engines.sqlite.folder import Folder
Folder(Path(sys.argv[1])).open()
print("held", flush=True)
sys.stdin.read()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_absent_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "b")
    before = os.umask(0)
    try:
        folder.open()
        file = folder.file("file")
    finally:
        os.umask(before)
    assert mode(folder.path) == 0o700
    assert mode(file) == 0o600
    assert mode(folder.path / "lock") == 0o600
    folder.close()


def test_a_file_that_was_open_to_others_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o644)
    folder = Folder(tmp_path)
    folder.open()
    assert mode(folder.file("file")) == 0o600
    folder.close()


def test_another_process_on_the_folder_is_refused_by_name_and_taken_once_the_first_has_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: S603 - ourselves
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StorageBusy, match=rf"{tmp_path} is in use by process {holder.pid}: stop that one"):
            Folder(tmp_path).open()
        holder.kill()
    folder = Folder(tmp_path)
    folder.open()
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    folder.close()


def test_the_same_process_does_not_take_it_twice(tmp_path: Path) -> None:
    first = Folder(tmp_path)
    first.open()
    with pytest.raises(StorageBusy, match=str(os.getpid())):
        Folder(tmp_path).open()
    first.close()
    second = Folder(tmp_path)
    second.open()
    second.close()


def test_a_folder_that_can_not_be_made_is_unavailable_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match="can't be opened"):
        Folder(tmp_path / "file" / "data").open()
