"""The shape of the tree: a module fits one head, says what it is for, and is named for a thing."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from rules.tree import ROOT, SRC, TESTS, Source, product, suite

LINES = 400
"""About what fits one head. A longer module says at its top why it is one: a sentence with the word `lines`."""

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "models", "types", "common", "misc", "base", "core", "manager"}
"""Names that say nothing of what is inside."""

CAPABILITIES = {"hub", "gateway", "delivery", "inbox", "events", "sourcing", "sagas", "separation", "reports"}
"""Packages whose first file bears the folder's name and holds the one public service."""


def test_modules_are_short_or_say_why() -> None:
    long = [
        f"{source.place}: {count} lines"
        for source in [*product(), *suite()]
        if (count := source.text.count("\n")) > LINES and "lines" not in (ast.get_docstring(source.tree) or "")
    ]
    assert not long


def test_every_module_and_package_says_what_it_is_for() -> None:
    silent = [source.place for source in product() if not ast.get_docstring(source.tree)]
    silent += [str(folder.relative_to(ROOT)) for folder in folders(SRC / "esclusa") if not (folder / "__init__.py").exists()]
    assert not silent


def folders(root: Path) -> list[Path]:
    """Folders below `root` that have Python files."""
    return sorted({path.parent for path in root.rglob("*.py")})


def test_names_say_what_is_inside() -> None:
    empty = [str(path.relative_to(ROOT)) for path in (SRC / "esclusa").rglob("*") if path.stem in EMPTY_NAMES]
    assert not empty


@pytest.mark.parametrize("name", sorted(CAPABILITIES))
def test_a_capability_begins_in_the_file_with_its_name(name: str) -> None:
    package = SRC / "esclusa" / name
    assert not package.exists() or (package / f"{name}.py").exists()


def test_importing_has_no_effects() -> None:
    """At the top of a module stand definitions, constants and imports: nothing that is called for what it does."""
    effects = [
        f"{source.at(node)}: {ast.unparse(node)[:80]}"
        for source in product()
        if source.path.stem != "__main__"
        for node in source.tree.body
        if (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
        or isinstance(node, ast.For | ast.While | ast.With | ast.Global)
    ]
    assert not effects


def test_no_hidden_globals() -> None:
    found = [source.at(node) for source in product() for node in ast.walk(source.tree) if isinstance(node, ast.Global)]
    assert not found


def test_a_suppression_gives_its_reason() -> None:
    """`# noqa: S311 - why`, `# type: ignore[code]  # why`."""
    bare = [
        f"{source.place}:{line}: {comment}"
        for source in [*product(), *suite()]
        for line, comment in comments(source)
        if re.match(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)", comment)
        and not re.match(r"#\s*(noqa: [A-Z0-9, ]+|[\w: ]+\[[\w, -]+\])\s+[-#(]\s*\S", comment)
    ]
    assert not bare


def comments(source: Source) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def test_the_map_of_what_tests_share_is_whole() -> None:
    """tests/support/__init__.py names every file there, and no other."""
    folder = TESTS / "support"
    told = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    named = set(re.findall(r"^    (\w+\.py) ", told, re.MULTILINE))
    assert named == {path.name for path in folder.glob("*.py")} - {"__init__.py"}


@pytest.mark.parametrize("package", ["esclusa", "esclusa.hub", "esclusa.bootstrap"])
def test_a_package_whose_docstring_is_a_map_names_every_module(package: str) -> None:
    modules = {source.module: source for source in product()}
    inside = {module.removeprefix(f"{package}.").split(".")[0] for module in modules if module.startswith(f"{package}.")}
    words = set(re.findall(r"\w+", ast.get_docstring(modules[package].tree) or ""))
    assert inside - words == set()


def test_a_constant_in_milliseconds_says_so_in_its_name() -> None:
    """`FLUSH_MS`. A constant of time without a unit in its name is in seconds."""
    wrong = [
        f"{source.place}: {name}"
        for source in [*product(), *suite()]
        for name, told in constants(source)
        if name.endswith("_MS") != told.startswith("Milliseconds")
    ]
    assert not wrong


def constants(source: Source) -> Iterator[tuple[str, str]]:
    """The constants of a module that say what they are, by their names."""
    for node, after in pairwise(source.tree.body):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        name = target.id if isinstance(target, ast.Name) else ""
        if name.isupper() and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield name, str(after.value.value)
