"""Whether a question is well put: its parameters and its subject, as the query declares them (H1). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from stdnum.es import nie, nif

from esclusa.hub.settings import ParamSettings, QuerySettings
from esclusa.kernel.errors import Fault, InvalidParams, InvalidSubject

PROVINCES = 52
MAX_TEXT = 200
LARGEST = 10**15
"""Numbers up to which an integer is the same in every language's JSON."""
MAX_SUBJECT = 64
NOT_A_NIF = "Not a valid NIF or NIE: 8 digits and their letter, such as 12345678Z"


def checked_subject(query: QuerySettings, subject: str) -> str:
    """The subject in its normal form (a NIF in capitals, with no separators), or `InvalidSubject`."""
    if query.subject == "nif":
        normal = normal_nif(subject)
        if normal is None:
            raise InvalidSubject(faults=(Fault("/subject", NOT_A_NIF),))
        return normal
    if not subject or len(subject) > MAX_SUBJECT or not subject.isprintable():
        raise InvalidSubject(faults=(Fault("/subject", f"Between 1 and {MAX_SUBJECT} printable characters"),))
    if query.subject != "text" and not _pattern(query.subject).fullmatch(subject):
        raise InvalidSubject(faults=(Fault("/subject", f"Does not match {query.subject}"),))
    return subject


def normal_nif(text: str) -> str | None:
    """A NIF or NIE of a person or a company in its normal form; None when it is not valid."""
    if len(text) > MAX_SUBJECT or not text.isascii():
        return None
    for kind in (nif, nie):
        if kind.is_valid(text):
            return str(kind.compact(text))
    return None


def checked_params(query: QuerySettings, given: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in text, as connectors use them; `InvalidParams` naming everything that is wrong.

    A date range `period` becomes `period.from` and `period.to`.
    """
    params: dict[str, str] = {}
    faults = [Fault(_pointer("params", name), "The query has no such parameter") for name in given if name not in query.params]
    for name, settings in query.params.items():
        value = given.get(name)
        if value is None:
            if settings.required:
                faults.append(Fault(_pointer("params", name), "Required"))
            continue
        fault = _CHECKS[settings.type](name, value, settings, params)
        if fault:
            faults.append(Fault(_pointer("params", name), fault))
    if faults:
        raise InvalidParams(faults=tuple(faults))
    return params


def _pointer(*path: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _date(text: object) -> date | None:
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _check_date(name: str, value: object, _: ParamSettings, params: dict[str, str]) -> str:
    day = _date(value)
    if day is None:
        return "A date such as 2026-01-31"
    params[name] = day.isoformat()
    return ""


def _check_date_range(name: str, value: object, settings: ParamSettings, params: dict[str, str]) -> str:
    if not isinstance(value, dict) or value.keys() != {"from", "to"}:
        return 'Two dates, {"from": "2026-01-01", "to": "2026-01-31"}'
    first, last = _date(value["from"]), _date(value["to"])
    if first is None or last is None:
        return "Dates such as 2026-01-31"
    if last < first:
        return "It ends before it begins"
    if settings.max is not None and (last - first).days + 1 > settings.max:
        return f"At most {settings.max} days"
    params[f"{name}.from"], params[f"{name}.to"] = first.isoformat(), last.isoformat()
    return ""


def _check_province(name: str, value: object, _: ParamSettings, params: dict[str, str]) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d\d", value, re.ASCII) or not 1 <= int(value) <= PROVINCES:
        return "The code of a province, 01 to 52"
    params[name] = value
    return ""


def _check_text(name: str, value: object, settings: ParamSettings, params: dict[str, str]) -> str:
    limit = settings.max or MAX_TEXT
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        return "A line of text"
    if len(value) > limit:
        return f"At most {limit} characters"
    params[name] = value
    return ""


def _check_number(name: str, value: object, settings: ParamSettings, params: dict[str, str]) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST <= value <= LARGEST:
        return "A number"
    if settings.max is not None and value > settings.max:
        return f"At most {settings.max}"
    params[name] = str(value)
    return ""


def _check_nif(name: str, value: object, _: ParamSettings, params: dict[str, str]) -> str:
    normal = normal_nif(value) if isinstance(value, str) else None
    if normal is None:
        return NOT_A_NIF
    params[name] = normal
    return ""


_CHECKS: Mapping[str, Callable[[str, object, ParamSettings, dict[str, str]], str]] = {
    "date": _check_date,
    "dateRange": _check_date_range,
    "province": _check_province,
    "text": _check_text,
    "number": _check_number,
    "nif": _check_nif,
}
