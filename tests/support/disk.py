"""What stands in the files of a server or a process, whatever they are: tables, logs, hints, caches."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path


def copied(*folders: Path) -> list[bytes]:
    """Every file below `folders`, without the zeros at its end, that were never written."""
    copies = []
    for folder in folders:
        for path in folder.rglob("*"):
            with suppress(OSError):  # gone meanwhile, or a folder
                copies.append(path.read_bytes().rstrip(b"\0"))
    return copies


def found(wanted: Collection[bytes], copies: Collection[bytes]) -> set[bytes]:
    """Which of `wanted` stand in any of `copies`."""
    return {each for each in wanted if any(each in copy for copy in copies)}
