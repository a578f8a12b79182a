"""The data folder: made if absent, private, and of one process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from esclusa.engines.sqlite.errors import unavailable
from esclusa.kernel.errors import StorageBusy

PRIVATE = 0o600


class Folder:
    """A folder that belongs to this process from `open` to `close`. Its methods block, shortly."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folder if it is absent and take it; `StorageBusy` names the process that has it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._private(self.path / "lock")
        except OSError as error:
            raise unavailable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(lock, 0)
            os.pwrite(lock, b"%d\n" % os.getpid(), 0)
        except BlockingIOError:
            owner = _owner(lock)
            os.close(lock)
            raise StorageBusy(
                f"the data folder {self.path} is in use by process {owner}: stop that one, or give this one another folder"
            ) from None
        except OSError as error:
            os.close(lock)
            raise unavailable(error) from error
        self._lock = lock

    def file(self, name: str) -> Path:
        """The path of a file of the folder, which exists and is private."""
        path = self.path / name
        try:
            os.close(self._private(path))
        except OSError as error:
            raise unavailable(error) from error
        return path

    def user(self) -> str | None:
        """The process that has it, this one or another; None where nobody has. Leaves everything as it is."""
        try:
            lock = os.open(self.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unavailable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _owner(lock)
        finally:
            os.close(lock)
        return None

    def _private(self, path: Path) -> int:
        """Open `path`, for reading and writing by this user alone."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        os.fchmod(descriptor, PRIVATE)
        return descriptor

    def close(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _owner(lock: int) -> str:
    """The process that says in the file that it has it."""
    return os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
