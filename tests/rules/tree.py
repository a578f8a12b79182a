"""The source tree as data: what the rules look at."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
TESTS = ROOT / "tests"


class Source(NamedTuple):
    """One Python file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """The path from the root of the repository, with `/`."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """The dotted name, of a file in `src`."""
        parts = self.path.relative_to(SRC).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def at(self, node: ast.AST) -> str:
        """`path:line` of a node."""
        return f"{self.place}:{getattr(node, 'lineno', 0)}"

    def uses(self) -> Iterator[tuple[ast.expr, str]]:
        """Every use of something imported, with its full dotted name: `monotonic` after `from time import monotonic` too."""
        known: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    known[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name | ast.Attribute) and (name := dotted(node)):
                first, _, rest = name.partition(".")
                if first in known:
                    yield node, f"{known[first]}.{rest}" if rest else known[first]


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a name or a chain of attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _parsed(folder: Path) -> list[Source]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Source(path, text, ast.parse(text, filename=str(path))))
    return found


@functools.cache
def product() -> list[Source]:
    """Every module of the product."""
    return _parsed(SRC)


@functools.cache
def suite() -> list[Source]:
    """Every file of the tests."""
    return _parsed(TESTS)


@functools.cache
def imported() -> dict[str, ModuleType]:
    """Every module of the product, imported, by its name."""
    return {source.module: importlib.import_module(source.module) for source in product() if source.path.stem != "__main__"}
