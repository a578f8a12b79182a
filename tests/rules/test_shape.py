"""The shape of the tree: a module fits one head, says what it is for, is named for a thing, and has its tests beside it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.tree import ROOT, SRC, TESTS, Source, product, suite

LINES = 400
"""About what fits one head. A longer module says at its top why it is one: a sentence with the word `lines`."""

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "models", "types", "common", "misc", "base", "core", "manager"}
"""Names that say nothing of what is inside."""

CAPABILITIES = {"hub", "gateway", "delivery", "inbox", "events", "sourcing", "sagas", "separation", "reports"}
"""Packages whose first file bears the folder's name and holds the one public service."""

WITHOUT_MODULE = {
    "demo/test_configuration.py": "its subject is demo/esclusa.toml",
}
"""Files of tests/unit with no module of their name, and why."""


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


def test_unit_tests_mirror_the_source() -> None:
    """`a/b.py` is tested in `a/test_b.py`, what would make that too long in `a/test_b_ASPECT.py`, all of `a` in `a/test_a.py`."""
    unit = TESTS / "unit"
    stray = [
        str(path.relative_to(ROOT))
        for path in sorted(unit.rglob("test_*.py"))
        if str(path.relative_to(unit)) not in WITHOUT_MODULE and not list(modules_of(path.relative_to(unit)))
    ]
    assert not stray


def modules_of(test: Path) -> Iterator[Path]:
    """The module that a file of tests/unit is about."""
    words = test.stem.split("_")[1:]
    if words == [test.parent.name]:
        yield SRC / "esclusa" / test.parent / "__init__.py"
    for count in range(len(words), 0, -1):
        module = SRC / "esclusa" / test.parent / f"{'_'.join(words[:count])}.py"
        if module.exists():
            yield module


def test_a_suppression_gives_its_reason() -> None:
    """`# noqa: S311 - why`, `# type: ignore[code]  # why`. Types of tests are not checked."""
    bare = [
        f"{source.place}:{line}: {comment}"
        for source in [*product(), *suite()]
        for line, comment in comments(source)
        if re.match(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)", comment)
        and not re.match(r"#\s*(noqa: [A-Z0-9, ]+|[\w: ]+\[[\w, -]+\])\s+[-#(]\s*\S", comment)
        and not (source.path.is_relative_to(TESTS) and comment.startswith("# type: ignore["))
    ]
    assert not bare


def comments(source: Source) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
