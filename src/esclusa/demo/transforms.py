"""What JMESPath can't say: functions that connectors of the demo's configuration name as their `transform`."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def working_life(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The social security's jobs as items, newest first, with its days (`31/12/2020`) in the common form (`2020-12-31`)."""
    jobs = answer["vidaLaboral"]["situaciones"]
    return [
        {
            "label": job["empresa"],
            "value": f"desde {_iso(job['fechaAlta'])}",
            "date": _iso(job["fechaBaja"] or job["fechaAlta"]),
            "state": "BAJA" if job["fechaBaja"] else "ALTA",
        }
        for job in reversed(jobs)
    ]


def _iso(day: str) -> str:
    return datetime.strptime(day, "%d/%m/%Y").date().isoformat()  # noqa: DTZ007 - a day has no zone
