"""Lengths of time as people write them: `"250ms"`, `"3s"`, `"1m30s"`, `"10m"`, `"2h"`, `"365d"`."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)


class Duration(float):
    """Seconds. A type of its own, so that settings say `"3s"` and code has a number."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Duration:
        """From `"1m30s"` and the like; `ValueError` in words for anything else."""
        if not text or _PART.sub("", text):
            raise ValueError(f'{text!r} is not a duration: write a number and a unit, such as "250ms", "3s", "1m30s" or "10m"')
        return cls(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))

    def __str__(self) -> str:
        """The shortest form that `parse` reads back: `1m30s`."""
        millis = round(self * 1000)
        parts = []
        for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
            count, millis = divmod(millis, size)
            if count:
                parts.append(f"{count}{unit}")
        return "".join(parts) or "0s"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"
