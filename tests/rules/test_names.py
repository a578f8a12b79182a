"""The public names are a list that somebody has read: tests/rules/public_names.txt. A change of it is a change of the API."""

from __future__ import annotations

import inspect
from pathlib import Path

from rules.tree import imported

LIST = Path(__file__).with_name("public_names.txt")


def public() -> dict[str, list[str]]:
    """By package, what can be imported from it: `__all__`, or else what its `__init__` defines and imports."""
    found = {}
    for name, module in sorted(imported().items()):
        if hasattr(module, "__path__"):
            names = getattr(module, "__all__", None)
            if names is None:
                names = [key for key, value in vars(module).items() if not key.startswith("_") and not inspect.ismodule(value)]
            found[name] = sorted(set(names) - {"annotations"})
    return found


def listed() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        if line.startswith(" "):
            found[next(reversed(found))].append(line.strip())
        else:
            found[line] = []
    return found


def test_the_public_names_are_the_list() -> None:
    assert public() == listed()


def test_every_public_name_can_be_had() -> None:
    modules = imported()
    absent = [
        f"{package}.{name}" for package, names in listed().items() for name in names if not hasattr(modules[package], name)
    ]
    assert not absent


def test_every_public_name_says_what_it_is() -> None:
    modules = imported()
    silent = [
        f"{package}.{name}"
        for package, names in listed().items()
        for name in names
        if (inspect.isclass(thing := getattr(modules[package], name)) or inspect.isroutine(thing)) and not inspect.getdoc(thing)
    ]
    assert not silent
