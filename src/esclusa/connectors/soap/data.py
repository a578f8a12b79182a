"""What zeep makes of an answer, as what JSON has."""

from __future__ import annotations

import base64
from datetime import date, datetime, time, timedelta
from math import isfinite, isnan
from typing import Any

import isodate
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types
from zeep.xsd.valueobjects import CompoundValue

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_PLAIN = (str, bool, int, float, type(None))


def plain(value: Any) -> Any:
    """`value` in tables, lists, texts, numbers and truths.

    Dates, times and lengths of time as ISO 8601 has them; decimals as texts with all their digits, and so what is no number
    for JSON (`INF`, `-INF`, `NaN`); what is binary in base64; an element that the schema leaves open by its name, as a
    table of its children (repeated ones: a list) with its attributes as `@NAME` and its text as `#text`, or just its text; nothing where
    it says `xsi:nil`.
    """
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "INF" if value > 0 else "-INF"
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, CompoundValue | dict):
        return {name: plain(value[name]) for name in value}
    if isinstance(value, list | tuple | set):
        return [plain(each) for each in value]
    if etree.iselement(value):
        return {etree.QName(value).localname: _element(value)}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta | isodate.Duration):
        return isodate.duration_isoformat(value)
    if isinstance(value, etree.QName):
        return value.localname
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _element(element: etree._Element) -> Any:
    if element.get(_NIL) in ("true", "1"):
        return None
    table: dict[str, Any] = {f"@{etree.QName(name).localname}": text for name, text in element.attrib.items()}
    for child in element.iterchildren("*"):
        name, made = etree.QName(child).localname, _element(child)
        if name not in table:
            table[name] = made
        elif isinstance(table[name], list):
            table[name].append(made)
        else:
            table[name] = [table[name], made]
    text = (element.text or "").strip()
    if not table:
        return text
    return {**table, "#text": text} if text else table
