"""What the pages have in common: docstrings in, Markdown out."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable


def joined(*parts: str) -> str:
    """A page of `parts`, the empty ones left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def listed(*heads: str, rows: Iterable[str]) -> str:
    """A table; empty without rows."""
    lines = list(rows)
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *lines]) if lines else ""


def row(*cells: str) -> str:
    """One row of a table."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def code(names: Iterable[str]) -> str:
    """`names` as code, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def promise(thing: object) -> str:
    """The docstring of `thing`, without the ids of the requirements that it meets: `(H12)`, `(H10 to H13)`."""
    return _plain(getattr(thing, "__doc__", None) or "")


def summary(thing: object) -> str:
    """The first paragraph of the docstring of `thing`, in one line."""
    return " ".join(promise(thing).split("\n\n")[0].split())


def text(node: ast.stmt | ast.expr) -> str:
    """The text that `node` is; empty where it is none."""
    if isinstance(node, ast.Expr):
        node = node.value
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def attribute_docs(cls: type) -> dict[str, str]:
    """The docstrings below the attributes of `cls` and of what it inherits from, by attribute."""
    found: dict[str, str] = {}
    for ancestor in reversed(cls.__mro__[:-1]):
        if not ancestor.__module__.startswith("esclusa."):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(ancestor))).body
        assert isinstance(tree, ast.ClassDef)
        for before, after in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and text(after):
                found[before.target.id] = _plain(text(after))
    return found


def _plain(docstring: str) -> str:
    return re.sub(r" \([A-Z]\d+(?:(?:,| to| and) [A-Z]\d+)*\)", "", inspect.cleandoc(docstring))
