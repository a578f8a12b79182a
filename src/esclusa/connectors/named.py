"""Functions that a configuration names: `package.module:function`."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

_NAME = re.compile(r"\s*([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)\s*")


def is_name(text: str) -> bool:
    """Whether `text` names a function, be it there or not."""
    return _NAME.fullmatch(text) is not None


def function_named(text: str) -> Callable[..., Any]:
    """The function that `text` names. Its module is imported. `ValueError` in words when there is none.

    Where it ends with `SystemExit` or its like, that is a `RuntimeError`: the process is not its own.
    """
    named = _NAME.fullmatch(text)
    if named is None:
        raise ValueError("this is no package.module:function")
    module, name = named.groups()
    try:
        found: Any = import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a module may raise anything while it is imported, SystemExit too
        raise ValueError(f"the module {module} can't be imported ({type(error).__name__}: {error})") from None
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ValueError(f"the module {module} has no function {name}")  # noqa: TRY004 - it is a name that is wrong
    function: Callable[..., Any] = found
    return _guarded_coroutine(function) if inspect.iscoroutinefunction(function) else _guarded(function)


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """One that can't end the program: what it is called by goes on with its neighbours."""

    @wraps(function)
    def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Exception:
            raise
        except BaseException as error:
            raise RuntimeError(f"it ended with {type(error).__name__}") from error

    return guarded


def _guarded_coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return await function(*arguments, **named)
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            raise RuntimeError(f"it ended with {type(error).__name__}") from error

    return guarded
