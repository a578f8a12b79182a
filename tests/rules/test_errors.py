"""The whole tree of errors stands in one place, and no foreign error crosses a port."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from esclusa.kernel import errors
from rules.tree import Source, dotted, imported, product

MISUSE = {"ValueError", "TypeError", "RuntimeError"}
"""The caller's own mistake, which no contract promises anything about."""


def below(cls: type[BaseException]) -> Iterator[type[BaseException]]:
    for child in cls.__subclasses__():
        yield child
        yield from below(child)


def test_every_error_is_in_the_tree() -> None:
    """`esclusa.testing` has its own, for tests; a name with an underscore is for one module's own flow."""
    imported()
    strays = {
        f"{cls.__module__}.{cls.__qualname__}"
        for cls in below(BaseException)
        if cls.__module__.startswith("esclusa.")
        and not cls.__module__.startswith(("esclusa.testing", errors.__name__))
        and not cls.__name__.startswith("_")
    }
    assert not strays


def test_the_tree_is_one() -> None:
    outside = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, BaseException) and not issubclass(value, errors.EsclusaError)
    ]
    assert not outside


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    absent = [
        cls.__name__
        for cls in below(errors.EsclusaError)
        if cls.__module__ == errors.__name__ and cls.__name__ not in str(errors.__doc__)
    ]
    assert not absent


def test_every_refusal_has_a_name_of_its_own() -> None:
    names = [cls.name for cls in below(errors.Refused) if issubclass(cls, errors.Refused)]
    assert len(names) == len(set(names))
    assert errors.Refused.name not in names


def test_engines_and_ports_raise_errors_of_the_tree_alone() -> None:
    """What an engine raises on purpose; what it lets through from its vendor is examined by its exam and its fault tests."""
    foreign = [
        f"{source.at(node)}: {ast.unparse(node)}"
        for source in product()
        if source.module.startswith(("esclusa.engines", "esclusa.ports"))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Raise) and node.exc is not None and foreign_error(source, node.exc)
    ]
    assert not foreign


def foreign_error(source: Source, raised: ast.expr) -> bool:
    """Whether `raised` is a class, or an instance made on the spot, that isn't ours. Variables were made elsewhere."""
    made = dotted(raised.func if isinstance(raised, ast.Call) else raised)
    full = {dotted(node): name for node, name in source.uses()}.get(made, made)
    if full.startswith(f"{errors.__name__}.") or made in MISUSE:
        return False
    return isinstance(getattr(builtins, made, None), type) or ("." in full and not full.startswith("esclusa."))
