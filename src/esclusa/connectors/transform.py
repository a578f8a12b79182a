"""What becomes `data`: a JMESPath expression, or a Python function, compiled once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from esclusa.connectors.named import function_named, is_name

Transform = Callable[[bytes], bytes | None]
"""From the JSON that came to the JSON that goes; None: there is nothing about the subject. Raises anything."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def compiled(text: str) -> Transform:
    """From `package.module:function`, else from JMESPath. `ValueError` in words when it is neither.

    The function is called with the decoded answer and returns what is to be encoded; it must not block.
    """
    shape = _function(text) if is_name(text) else _expression(text)

    def transform(answer: bytes) -> bytes | None:
        shaped = shape(_decode(answer))
        return None if shaped is None else _encode(shaped)

    return transform


def _expression(text: str) -> Callable[[Any], Any]:
    try:
        return jmespath.compile(text).search
    except JMESPathError as error:
        place = getattr(error, "lex_position", None)
        where = f", from character {place + 1} on" if isinstance(place, int) else ""
        raise ValueError(f"this is no JMESPath expression{where}, and no package.module:function") from None


def _function(text: str) -> Callable[[Any], Any]:
    function = function_named(text)
    if inspect.iscoroutinefunction(function):
        raise ValueError(f"{text.strip()} is a coroutine: a plain function is needed here")
    return function
