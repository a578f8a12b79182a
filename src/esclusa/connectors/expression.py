"""JMESPath (https://jmespath.org/specification.html), compiled once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

Expression = Callable[[Any], Any]
"""From decoded JSON to what stands there; None: nothing does. Raises a `ValueError` where the types don't suit it."""


def expression(text: str) -> Expression:
    """`text`, compiled. `ValueError` in words when it is no JMESPath."""
    try:
        return jmespath.compile(text).search
    except JMESPathError as error:
        place = getattr(error, "lex_position", None)
        where = f", from character {place + 1} on" if isinstance(place, int) else ""
        raise ValueError(f"this is no JMESPath expression{where}") from None
