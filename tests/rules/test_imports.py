"""Architecture is a lint rule: the contracts of `[tool.importlinter]` hold, and no import escapes them."""

from __future__ import annotations

import ast
import sys
import tomllib

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

import esclusa
from rules.tree import ROOT, product

EVERYWHERE = {"esclusa", "msgspec"}
"""msgspec is the language of every typed thing."""


def contracts() -> list[dict[str, list[str]]]:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, list[str]]] = configuration["tool"]["importlinter"]["contracts"]
    return found


def test_the_dependency_diagram_holds(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None), capsys.readouterr().out


def test_every_vendor_package_has_one_place() -> None:
    placed = EVERYWHERE | {name for contract in contracts() for name in contract.get("protected_modules", [])}
    homeless = {
        f"{source.at(node)}: {name}"
        for source in product()
        for node in ast.walk(source.tree)
        for name in _vendors(node)
        if name not in placed
    }
    assert not homeless, "give it a 'protected' contract in pyproject.toml"


def _vendors(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        names = {alias.name.split(".")[0] for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = {node.module.split(".")[0]}
    else:
        names = set()
    return names - sys.stdlib_module_names


def test_imports_are_absolute() -> None:
    relative = [
        source.at(node)
        for source in product()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_the_product_stands_on_its_modules_and_not_on_its_public_names() -> None:
    """`import esclusa` is for users, the demo among them: inside, its names would lead around the diagram."""
    around = [
        f"{source.at(node)}: {name}"
        for source in product()
        if not source.module.startswith("esclusa.demo")
        for node, name in source.uses()
        if name.startswith("esclusa.") and name.removeprefix("esclusa.") in esclusa.__all__
    ]
    assert not around
