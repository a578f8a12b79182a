"""Functions that a configuration names: `package.module:function`."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

_NAME = re.compile(r"\s*([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)\s*")


def is_name(text: str) -> bool:
    """Whether `text` names a function, be it there or not."""
    return _NAME.fullmatch(text) is not None


def function_named(text: str) -> Callable[..., Any]:
    """The function that `text` names. Its module is imported. `ValueError` in words when there is none."""
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
    return function
