"""The folder in which a demo's hub keeps its files: gone when the demo ends, or when the next one starts.

Each is locked by the demo that it belongs to, for as long as that lives. One that nobody holds belonged to a demo that was
killed, and is removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "esclusa-demo-"
_TRIES = 3


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder, private, for as long as the context lasts; what killed demos of this user have left is removed first."""
    _sweep(Path(tempfile.gettempdir()))
    folder, lock = _made()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _made() -> tuple[Path, int]:
    """A folder and its lock. Another demo that starts may take a new one for a dead one's: then there is one more try.

    `OSError` when none can be made, or none be locked.
    """
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _locked(folder)
        if lock is not None:
            return folder, lock
        shutil.rmtree(folder, ignore_errors=True)
    raise OSError(f"no folder can be locked in {tempfile.gettempdir()}: name one with --data")


def _sweep(below: Path) -> None:
    for folder in below.glob(f"{PREFIX}*"):
        lock = _locked(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """The lock of a folder of this user's; None where it is another's, somebody holds it, or it has gone."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.fstat(lock).st_uid != os.getuid():
            raise PermissionError
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(lock), folder.lstat()):
            raise FileNotFoundError
    except OSError:
        os.close(lock)
        return None
    return lock
