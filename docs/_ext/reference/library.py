"""The page of the Python library: what the public packages promise."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import msgspec

from reference.markdown import attribute_docs, code, joined, listed, promise, row, summary

PACKAGES = ("esclusa", "esclusa.connectors.transport")
"""Whose `__all__` is the public interface."""
TESTING = "esclusa.testing"
"""Whose modules are."""
LIBRARY = """# Python library

What may be relied on. What stands on no page of this reference may change from one version to the next."""


def library_page() -> str:
    """The public names of the packages that one's own program imports from."""
    parts = [LIBRARY]
    for package in PACKAGES:
        module = importlib.import_module(package)
        parts += [f"## `{package}`", f"```text\n{promise(module)}\n```"]
        for name in module.__all__:
            parts += _entry(name, getattr(module, name))
    testing = importlib.import_module(TESTING)
    names = sorted(module.name for module in pkgutil.iter_modules(testing.__path__, f"{TESTING}."))
    about = [row(code([name]), summary(importlib.import_module(name))) for name in names]
    return joined(*parts, f"## `{TESTING}`", promise(testing), listed("Module", "", rows=about))


def _entry(name: str, thing: Any) -> list[str]:
    if isinstance(thing, type):
        return [f"### `{name}`", _signature(name, thing), promise(thing), _attributes(thing), *_methods(thing)]
    return [f"### `{name}`", _signature(name, thing), promise(thing) if callable(thing) else f"`{thing!r}`"]


def _attributes(cls: type) -> str:
    if not issubclass(cls, msgspec.Struct):
        return ""
    about = attribute_docs(cls)
    return listed(
        "Field",
        "Type",
        "",
        rows=(row(code([name]), code([str(kind)]), about.get(name, "")) for name, kind in _types(cls).items()),
    )


def _types(cls: type[msgspec.Struct]) -> dict[str, Any]:
    """As they are written in the source."""
    return {
        name: kind
        for each in reversed(cls.__mro__)
        for name, kind in vars(each).get("__annotations__", {}).items()
        if name in cls.__struct_fields__
    }


def _methods(cls: type) -> list[str]:
    if issubclass(cls, BaseException):
        return []
    return [
        part
        for name, method in vars(cls).items()
        if not name.startswith("_") and inspect.isfunction(method)
        for part in (_signature(name, method), promise(method))
    ]


def _signature(name: str, thing: object) -> str:
    if not callable(thing) or (isinstance(thing, type) and issubclass(thing, BaseException | msgspec.Struct)):
        return ""
    try:
        parameters = str(inspect.signature(thing)).replace("'", "").removesuffix(" -> None" if isinstance(thing, type) else "")
    except ValueError:
        return ""
    word = "class" if isinstance(thing, type) else "async def" if inspect.iscoroutinefunction(thing) else "def"
    return f"```python\n{word} {name}{parameters.replace('(self, ', '(').replace('(self)', '()')}\n```"
