"""The data folder as it is found: whether it can be written, who has it, which version wrote it, and the room on its disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from esclusa.engines.sqlite.folder import Folder
from esclusa.engines.sqlite.schema import LADDER, too_new
from esclusa.kernel.errors import StorageError
from esclusa.ports.installation import Finding
from esclusa.ports.log import Topic

SCARCE = 1 << 30
"""Bytes of room on the disk below which somebody should know."""
TOO_LITTLE = 64 << 20
"""Bytes with which it can't run for long."""
DATABASE = "hub.db"
_VERSION = slice(60, 64)
"""Where a database file has its `user_version`, by the format of SQLite's files."""


class SqliteInstallation:
    """`esclusa.ports.installation.Installation` of a folder. It opens nothing that a running process has open."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def script(self, topics: Sequence[Topic]) -> str:  # noqa: ARG002 - the port's
        """Nothing has to be made by anybody."""
        return ""

    async def inspect(self, topics: Sequence[Topic]) -> list[Finding]:  # noqa: ARG002 - the port's
        """The folder, what is in it, and its disk."""
        path = self._folder.path
        there = next(each for each in (path, *path.parents) if each.exists())
        found = [self._access(path, there)]
        if there == path and found[0].state != "wrong":
            found.append(_version(path / DATABASE))
        return [*found, _room(there)]

    def _access(self, path: Path, there: Path) -> Finding:
        if not there.is_dir():
            return Finding("folder", "wrong", f"{there} is no folder", "set esclusa.data to one")
        if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
            return Finding(
                "folder", "wrong", f"this user may not write to {there}", "set esclusa.data to another, or change its owner"
            )
        if there != path:
            return Finding("folder", "sound", f"{path} can be made at the first start")
        try:
            user = self._folder.user()
        except StorageError as error:
            return Finding("folder", "wrong", str(error), "set esclusa.data to another, or change the owner of what is in it")
        if user is not None:
            what = f"{path} is in use by process {user}: that is the service itself, or another that has to have another folder"
            return Finding("folder", "doubtful", what, "stop that process before this configuration is run by another")
        return Finding("folder", "sound", f"{path} can be written to, and nobody uses it")


def _version(database: Path) -> Finding:
    """Which version has written `database`: that stands in the first page, unless all of it is still in its log."""
    try:
        with database.open("rb") as file:
            version = int.from_bytes(file.read(100)[_VERSION], "big")
    except FileNotFoundError:
        return Finding("database", "sound", "made at the first start")
    except OSError as error:
        return Finding("database", "wrong", f"can't be read: {error.strerror}", "change the owner of what is in the folder")
    if version > len(LADDER):
        return Finding(
            "database", "wrong", too_new(version, len(LADDER)), "run that version, or set esclusa.data to another folder"
        )
    return Finding("database", "sound", "there, and of a version that this one can read")


def _room(there: Path) -> Finding:
    free = shutil.disk_usage(there).free
    what = f"{free / (1 << 30):.1f} GiB free"
    if free < TOO_LITTLE:
        return Finding("disk", "wrong", what, "make room: submissions are refused while there is none")
    if free < SCARCE:
        return Finding("disk", "doubtful", what, "make room: the answers of every open request stand there")
    return Finding("disk", "sound", what)
