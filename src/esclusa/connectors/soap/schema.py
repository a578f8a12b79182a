"""A type of XML Schema, as zeep has read it, as a tree of parts."""

from __future__ import annotations

from typing import Any

from zeep.xsd import Any as AnyElement
from zeep.xsd import Attribute, ComplexType
from zeep.xsd.types import AnySimpleType, builtins

from esclusa.connectors.sketch.part import DEEPEST, Budget, Kind, Part

_KINDS: tuple[tuple[Any, Kind], ...] = (
    (builtins.Boolean, "truth"),
    (builtins.Date, "date"),
    (builtins.DateTime, "time"),
    (builtins.AnyURI, "link"),
    (builtins.Decimal, "number"),
    (builtins.Float, "number"),
    (builtins.Double, "number"),
    (AnySimpleType, "text"),
)
"""The first that suits: the last is what all of them are."""


def parts_of(kind: Any) -> tuple[Part, ...]:
    """What a type has inside, in order; attributes too. A type that is inside itself ends there."""
    return _parts(kind, Budget(), ())


def _parts(kind: Any, budget: Budget, above: tuple[int, ...]) -> tuple[Part, ...]:
    if not isinstance(kind, ComplexType) or id(kind) in above or len(above) >= DEEPEST:
        return ()
    inside = (*above, id(kind))
    found = [_part(name, each, budget, inside) for name, each in [*kind.elements, *kind.attributes] if name and budget.take()]
    return tuple(part for part in found if part is not None)


def _part(name: str, each: Any, budget: Budget, above: tuple[int, ...]) -> Part | None:
    if isinstance(each, AnyElement) or not hasattr(each, "type"):
        return None  # the schema leaves open what it is
    required = bool(each.required if isinstance(each, Attribute) else each.min_occurs)
    many = bool(getattr(each, "accepts_multiple", False))
    if isinstance(each.type, ComplexType):
        parts = _parts(each.type, budget, above)
        return Part(name, "table" if parts else "unknown", many, required, parts)
    kinds: list[Kind] = [known for cls, known in _KINDS if isinstance(each.type, cls)]
    always = getattr(each, "default", None)
    return Part(name, kinds[0] if kinds else "unknown", many, required, always=always if isinstance(always, str) else None)
