"""tests/unit mirrors src/esclusa, file for file and both ways.

`a/b.py` is tested in `a/test_b.py`; what would make that too long in `a/test_b_ASPECT.py` beside it; what a package itself
does in `a/test_a.py`. A module that only declares (structs, protocols, constants, docstrings) has nothing to test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.tree import SRC, TESTS, product

UNIT = TESTS / "unit"
SERVED = ("engines/kafka/", "engines/cassandra/")
"""Packages that are nothing without their servers: tests/engines and tests/faults examine them with real ones."""
PACKAGE = SRC / "esclusa"

EXCEPTIONS = {
    "demo/test_configuration.py": "its subject is demo/esclusa.toml",
    "connectors/tcp/connection.py": "tested by connectors/tcp/test_tcp.py, whose inside it is",
    "hub/dispatch.py": "tested by hub/test_pool.py, whose inside it is, and by tests/model/test_call_side.py",
    "hub/final.py": "tested by hub/test_hub.py, and in every order of things by tests/model/test_read_side.py",
    "hub/recovery.py": "tested by hub/test_pool.py, whose inside it is, and by tests/model/test_call_side.py",
    "hub/results.py": "tested by hub/test_hub.py, and in every order of things by tests/model/test_read_side.py",
    "testing/exams/groups.py": "an exam: testing/exams/test_exams.py shows what it finds out",
    "testing/exams/keys.py": "an exam: testing/exams/test_exams.py shows what it finds out",
    "testing/exams/log.py": "an exam: testing/exams/test_exams.py shows what it finds out",
    "testing/exams/members.py": "an exam: testing/exams/test_exams.py shows what it finds out",
    "testing/exams/records.py": "an exam: testing/exams/test_exams.py shows what it finds out",
    "testing/exams/upkeep.py": "an exam: testing/exams/test_exams.py shows what it finds out",
}
"""Files of tests/unit with no module of their name, modules with no file of theirs, and why."""


def test_every_module_with_behaviour_has_its_test() -> None:
    assert sorted(untested() - EXCEPTIONS.keys()) == []


def test_every_test_has_its_module() -> None:
    assert sorted(stray() - EXCEPTIONS.keys()) == []


def test_an_aspect_stands_beside_what_it_is_an_aspect_of() -> None:
    alone = [
        place
        for place in files()
        if (module := next(modules_of(Path(place)), None)) is not None and not (UNIT / home(module.as_posix())).exists()
    ]
    assert not alone


def test_nothing_is_excepted_that_need_not_be() -> None:
    assert sorted(EXCEPTIONS.keys() - untested() - stray()) == []


def files() -> list[str]:
    """Every test file, by its path below tests/unit."""
    return sorted(path.relative_to(UNIT).as_posix() for path in UNIT.rglob("test_*.py"))


def untested() -> set[str]:
    """Modules that do something and have no file of their own, by their paths below src/esclusa."""
    places = {source.path.relative_to(PACKAGE).as_posix() for source in product() if does_something(source.tree)}
    return {place for place in places if not place.startswith(SERVED) and not (UNIT / home(place)).exists()}


def stray() -> set[str]:
    """Files that are named for no module."""
    return {place for place in files() if not list(modules_of(Path(place)))}


def home(place: str) -> str:
    """Where the tests of a module are."""
    module = Path(place)
    name = (module.parent.name or PACKAGE.name) if module.stem == "__init__" else module.stem
    return (module.parent / f"test_{name}.py").as_posix()


def modules_of(test: Path) -> Iterator[Path]:
    """What a file of tests/unit is about, the most special first."""
    words = test.stem.split("_")[1:]
    for count in range(len(words), 0, -1):
        module = test.with_name(f"{'_'.join(words[:count])}.py")
        if (PACKAGE / module).exists():
            yield module
    if words == [test.parent.name or PACKAGE.name]:
        yield test.with_name("__init__.py")


def does_something(tree: ast.Module) -> bool:
    """Whether anything is defined in it that has steps of its own."""
    protocols = {
        id(method)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases)
        for method in ast.walk(node)
    }
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and id(node) not in protocols
        and not all(map(declares, node.body))
        for node in ast.walk(tree)
    )


def declares(statement: ast.stmt) -> bool:
    """A docstring, `...`, or the making of a field: no step."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) or "super().__init__" in ast.unparse(statement)
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    return ast.unparse(target).startswith("self.")


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("def f(): return 1", True),
        ("class A:\n async def f(self):\n  await x()", True),
        ("class A:\n def __init__(self):\n  self.a = 1\n  self.b: int = 2", False),
        ("class A(Protocol):\n def f(self) -> int:\n  '''It does.'''\n  ...", False),
        ("class A(Struct):\n a: int = 1\nB = Annotated[int, Meta(ge=1)]", False),
        ("class A(Error):\n def __init__(self, a):\n  super().__init__(str(a))\n  self.a = a", False),
        ("class A(Error):\n def __str__(self): return self.a", True),
    ],
)
def test_what_counts_as_behaviour(text: str, does: bool) -> None:
    assert does_something(ast.parse(text)) == does


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("hub/pool.py", "hub/test_pool.py"),
        ("bootstrap/bootstrap.py", "bootstrap/test_bootstrap.py"),
        ("__init__.py", "test_esclusa.py"),
        ("testing/exams/__init__.py", "testing/exams/test_exams.py"),
    ],
)
def test_where_tests_are(module: str, test: str) -> None:
    assert home(module) == test
    assert Path(module) in set(modules_of(Path(test)))
    aspect = Path(test).with_name(f"{Path(test).stem}_when_told.py")
    assert Path(module) in set(modules_of(aspect)) or module.endswith("__init__.py")
