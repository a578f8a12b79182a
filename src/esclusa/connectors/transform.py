"""What becomes `data`: items, a JMESPath expression, or a Python function, compiled once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from esclusa.connectors.backend import check_json
from esclusa.connectors.expression import expression
from esclusa.connectors.items import items_of
from esclusa.connectors.named import function_named, is_name
from esclusa.connectors.settings import ConnectorSettings

Transform = Callable[[bytes], bytes | None]
"""From the JSON that came to the JSON that goes; None: there is nothing about the subject. Raises anything."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def transform_of(settings: ConnectorSettings) -> Transform | None:
    """What a connector's settings make of its answers; None: nothing, they pass whole. `ValueError` as in `compiled`."""
    if settings.items is not None:
        return _transform(items_of(settings.items))
    return None if settings.transform is None else compiled(settings.transform)


def compiled(text: str) -> Transform:
    """From `package.module:function`, else from JMESPath. `ValueError` in words when it is neither.

    The function is called with the decoded answer and returns what is to be encoded; it must not block.
    """
    return _transform(_function(text), written) if is_name(text) else _transform(_expression(text))


def written(value: Any) -> bytes:
    """JSON of what a user's function has returned. Raises anything for what is none: a `msgspec.Raw` in it may be anything."""
    data = _encode(value)
    check_json(data)
    return data


def _transform(shape: Callable[[Any], Any], write: Callable[[Any], bytes] = _encode) -> Transform:
    def transform(answer: bytes) -> bytes | None:
        shaped = shape(_decode(answer))
        return None if shaped is None else write(shaped)

    return transform


def _expression(text: str) -> Callable[[Any], Any]:
    try:
        return expression(text)
    except ValueError as error:
        raise ValueError(f"{error}, and no package.module:function") from None


def _function(text: str) -> Callable[[Any], Any]:
    function = function_named(text)
    if inspect.iscoroutinefunction(function):
        raise ValueError(f"{text.strip()} is a coroutine: a plain function is needed here")
    return function
