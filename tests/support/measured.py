"""What a test measures: memory of processes; and times, which are told beside its outcome (`pytest -s`, or `-rP`)."""

from __future__ import annotations

import resource
from pathlib import Path


def tell(what: str) -> None:
    """Say it beside the outcome of a test."""
    print(what)  # noqa: T201 - it is what this is for


def measured(what: str, seconds: float) -> None:
    """Tell how long something took."""
    tell(f"{what}: {seconds:.1f} s")


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that a process has, this one unless told."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
