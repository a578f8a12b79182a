"""Times as the API writes them (RFC 3339), for people."""

from __future__ import annotations

from datetime import datetime


def instant(moment: str) -> float:
    """Seconds since the epoch of `2026-11-22T10:20:30.456Z`."""
    return datetime.fromisoformat(moment).timestamp()


def local(moment: str) -> str:
    """The same in the time of this machine, to the second: `2026-11-22 11:20:30`."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"


def time_of_day(seconds: float) -> str:
    """Seconds since the epoch in the time of this machine: `11:20:30`."""
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S}"
