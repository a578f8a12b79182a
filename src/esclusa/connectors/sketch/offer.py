"""The operations that a service offers, and names for connectors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec

_LONGEST = 64


class Offer(msgspec.Struct, frozen=True):
    """One operation that could be asked."""

    operation: str
    """What it is chosen by."""
    call: str
    """How it is called: `GET /people/{id}`, or the port of a WSDL."""
    about: str
    """What the description says of it."""


def named(text: str) -> str:
    """A name for a connector, made of `text`: a to z, 0 to 9 and -, at most 64, a letter or digit first."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text[:200])).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST].strip("-") or "connector"


def variable(name: str, what: str) -> str:
    """What stands for a secret of the connector `name`: a variable of the environment."""
    upper = f"{name}_{what}".upper().replace("-", "_")
    return f"${{{'_' if upper[0].isdigit() else ''}{upper}}}"


def choices(offers: Sequence[Offer]) -> str:
    """Their names, for what is wrong with a choice."""
    shown = ", ".join(offer.operation for offer in offers[:20])
    return f"{shown}, and {len(offers) - 20} more" if len(offers) > 20 else shown  # noqa: PLR2004 - as many as fit a few lines
