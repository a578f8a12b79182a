"""What becomes `data`: a JMESPath expression, or a Python function, compiled once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

Transform = Callable[[bytes], bytes | None]
"""From the JSON that came to the JSON that goes; None: there is nothing about the subject. Raises anything."""

_FUNCTION = re.compile(r"\s*([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)\s*")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def compiled(text: str) -> Transform:
    """From `package.module:function`, else from JMESPath. `ValueError` in words when it is neither.

    The function is called with the decoded answer and returns what is to be encoded; it must not block.
    """
    function = _FUNCTION.fullmatch(text)
    shape = _function(function[1], function[2]) if function else _expression(text)

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


def _function(module: str, name: str) -> Callable[[Any], Any]:
    try:
        found: Any = import_module(module)
    except Exception as error:  # noqa: BLE001 - a module may raise anything while it is imported
        raise ValueError(f"the module {module} can't be imported ({type(error).__name__}: {error})") from None
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ValueError(f"the module {module} has no function {name}")  # noqa: TRY004 - it is a name that is wrong
    if inspect.iscoroutinefunction(found):
        raise ValueError(f"{module}:{name} is a coroutine: a plain function is needed here")
    function: Callable[[Any], Any] = found
    return function
