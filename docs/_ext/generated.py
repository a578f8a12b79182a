"""The pages of the reference, made from the code at every build, so that they can't say anything else.

Each `*_page` function returns one page in Markdown. `tests/rules/test_docs.py` holds them against the code another way.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as shapes

from esclusa.config.settings import Configuration
from esclusa.edges.http.problems import PREFIX, PROBLEMS
from esclusa.kernel import errors
from esclusa.kernel.duration import Duration

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"


# ---- settings ----------------------------------------------------------------------------------------------------------


SETTINGS = """# Configuration file

What `esclusa.toml` takes, table by table. Durations are texts such as `"250ms"`, `"3s"`, `"1m30s"`, `"10m"`. `${NAME}` in a
text is filled in from the environment, `${NAME:-default}` with a default; `$$` is a dollar sign. Paths are relative to the
file that they stand in. `esclusa check` names every mistake with its line; `esclusa config schema` prints a JSON Schema
for editors."""


def settings_page() -> str:
    """Every table and key of the configuration file."""
    parts = [SETTINGS]
    for field in fields(Configuration):
        parts += _table(field.encode_name, field.type, attribute_docs(Configuration).get(field.name, ""))
    return _joined(*parts)


def tables(path: str, shape: Any) -> Iterator[tuple[str, shapes.StructType]]:
    """`("connectors.NAME.breaker", its struct)` for the table at `path` and all below it."""
    if isinstance(shape, shapes.UnionType):
        for member in shape.types:
            yield from tables(path, member)
    elif isinstance(shape, shapes.DictType) and list(_structs(shape.value_type)):
        yield from tables(f"{path}.NAME", shape.value_type)
    elif isinstance(shape, shapes.StructType):
        yield path, shape
        for field in shape.fields:
            yield from tables(f"{path}.{field.encode_name}", field.type)


def _structs(shape: Any) -> Iterator[shapes.StructType]:
    return (found for _, found in tables("", shape))


def _table(path: str, shape: Any, about: str) -> list[str]:
    parts: list[str] = []
    for place, struct in tables(path, shape):
        kind = f' kind = "{struct.tag}"' if struct.tag is not None else ""
        parts += [f"## `[{place}]{kind}`", _doc(struct.cls)]
        if about and place.removesuffix(".NAME") == path:
            parts.append(about)
        if struct.fields:
            rows = [_row(field, attribute_docs(struct.cls).get(field.name, "")) for field in struct.fields]
            parts.append(_listed("Key", "What it takes", "Unless given", "", rows=rows))
    return parts


def _row(field: shapes.Field, about: str) -> str:
    cells = [f"`{field.encode_name}`", _takes(field.type), _default(field), about]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _takes(shape: Any) -> str:  # noqa: PLR0911 - a case a kind of value
    """What a value of `shape` is, in words."""
    match shape:
        case shapes.UnionType(types=types):
            return " or ".join(_takes(member) for member in types if not isinstance(member, shapes.NoneType))
        case shapes.LiteralType(values=values):
            return ", ".join(f"`{value!r}`".replace("'", '"') for value in values)
        case shapes.CustomType(cls=cls) if cls is Duration:
            return "duration"
        case shapes.BoolType():
            return "`true`, `false`"
        case shapes.IntType() | shapes.FloatType():
            return _number(shape)
        case shapes.StrType():
            return "text"
        case shapes.ListType(item_type=item):
            return f"list of {_takes(item)}"
        case shapes.DictType(value_type=value):
            return f"table of {_takes(value)}"
        case shapes.StructType():
            return "table, below"
        case _:
            return "anything"


def _number(shape: shapes.IntType | shapes.FloatType) -> str:
    words = "whole number" if isinstance(shape, shapes.IntType) else "number"
    limits = [
        f"{sign} {limit}"
        for sign, limit in ((">", shape.gt), ("≥", shape.ge), ("<", shape.lt), ("≤", shape.le))
        if limit is not None
    ]
    return f"{words} {', '.join(limits)}".strip()


def _default(field: shapes.Field) -> str:
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None or isinstance(value, msgspec.Struct) or value in ("", {}, []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Duration):
        return f'`"{value}"`'
    return f"`{msgspec.json.encode(value).decode()}`"


def fields(cls: type[msgspec.Struct]) -> tuple[shapes.Field, ...]:
    """The fields of `cls`, as they are written in the file."""
    shape = shapes.type_info(cls)
    assert isinstance(shape, shapes.StructType)
    return shape.fields


def _doc(cls: type) -> str:
    return _plain(cls.__doc__ or "")


def _plain(docstring: str) -> str:
    """A docstring without the ids of the requirements that it meets: `(H12)`, `(H10 to H13)`."""
    return re.sub(r" \([A-Z]\d+(?:(?:,| to| and) [A-Z]\d+)*\)", "", inspect.cleandoc(docstring))


def attribute_docs(cls: type) -> dict[str, str]:
    """The docstrings below the attributes of `cls` and of what it inherits from, by attribute."""
    found: dict[str, str] = {}
    for ancestor in reversed(cls.__mro__[:-1]):
        if not ancestor.__module__.startswith("esclusa."):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(ancestor))).body
        assert isinstance(tree, ast.ClassDef)
        for before, after in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and _text(after):
                found[before.target.id] = _plain(_text(after))
    return found


def _summary(cls: type) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(_doc(cls).split("\n\n")[0].split())


def _text(node: ast.stmt | ast.expr) -> str:
    if isinstance(node, ast.Expr):
        node = node.value
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


# ---- errors ------------------------------------------------------------------------------------------------------------


ERRORS = """# Errors

Every error of the API is a problem (RFC 9457): `application/problem+json` with `type`, `title`, `status`, `detail` and
`traceId`; where several things are wrong, `errors` has a JSON pointer and a message for each."""


def errors_page() -> str:
    """What a caller of the API can be refused with, and the tree of exceptions."""
    rows = [
        f"| `{PREFIX}{problem.name}` | {problem.status} | {problem.title} | {problem.description} |"
        for problem in sorted(PROBLEMS.values(), key=lambda problem: (problem.status, problem.name))
    ]
    return _joined(
        ERRORS,
        _listed("`type`", "Status", "Title", "What it means, and what to do", rows=rows),
        "## Exceptions",
        "What Python code sees. All are in `esclusa.kernel.errors`; no others cross a port.",
        "\n".join(f"{'  ' * depth}- `{cls.__name__}`: {_summary(cls)}" for depth, cls in _descend(errors.EsclusaError)),
    )


def _descend(cls: type[Any], depth: int = 0) -> Iterator[tuple[int, type[Any]]]:
    yield depth, cls
    for below in cls.__subclasses__():
        yield from _descend(below, depth + 1)


# ---- what a process says of itself -------------------------------------------------------------------------------------


def metrics_page() -> str:
    """Every counter, gauge and histogram, and every log line."""
    metrics = [
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {about} |"
        for name, kind, labels, about in sorted(instruments())
    ]
    lines = [
        f"| {event} | {level} | {', '.join(f'`{fact}`' for fact in facts)} |" for event, level, facts in sorted(log_lines())
    ]
    return _joined(
        "# Metrics and log lines",
        "`/metrics` serves these in the format of Prometheus.",
        _listed("Name", "Kind", "Labels", "What it tells", rows=metrics),
        "## Log lines",
        "On standard error, as `[log] format` says. Subjects are masked everywhere.",
        _listed("Event", "Level", "Facts", rows=lines),
    )


def instruments() -> set[tuple[str, str, tuple[str, ...], str]]:
    """`(name, kind, labels, about)` of every metric that the code makes."""
    found = set()
    for call, method in _calls("counter", "gauge", "histogram"):
        texts = [_text(argument) for argument in call.args]
        if texts and texts[0].startswith("esclusa_"):
            labels = texts[2:]
            if len(call.args) > 2 and isinstance(call.args[2], ast.Tuple):
                labels = [_text(label) for label in call.args[2].elts]
            found.add((texts[0], method, tuple(label for label in labels if label), texts[1]))
    return found


def log_lines() -> set[tuple[str, str, tuple[str, ...]]]:
    """`(event, level, facts)` of every log line that the code writes."""
    return {
        (_text(call.args[0]), method.upper(), tuple(word.arg for word in call.keywords if word.arg))
        for call, method in _calls("debug", "info", "warn", "error")
        if len(call.args) == 1 and _text(call.args[0])
    }


def _calls(*methods: str) -> Iterator[tuple[ast.Call, str]]:
    """Calls of a method of these names, anywhere in the product."""
    for path in sorted(SRC.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
                yield node, node.func.attr


# ---- the library -------------------------------------------------------------------------------------------------------


def library_page() -> str:
    """The public names of the packages that one's own program imports from."""
    parts = ["# Python library", "What may be relied on. What stands in no list here may change from one version to the next."]
    for package in PACKAGES:
        module = importlib.import_module(package)
        parts += [f"## `{package}`", _doc_of(module)]
        parts += [
            f"### `{name}`\n\n{_signature(getattr(module, name))}{_doc_of(getattr(module, name))}" for name in module.__all__
        ]
    return _joined(*parts)


PACKAGES = ("esclusa", "esclusa.testing")


def _doc_of(thing: object) -> str:
    return _plain(getattr(thing, "__doc__", None) or "")


def _signature(thing: object) -> str:
    if not callable(thing):
        return ""
    try:
        return f"```python\n{getattr(thing, '__name__', '')}{inspect.signature(thing)}\n```\n\n"
    except ValueError:
        return ""


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed(*heads: str, rows: Iterable[str]) -> str:
    """A table of Markdown."""
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows])


PAGES: dict[str, Callable[[], str]] = {
    "settings": settings_page,
    "errors": errors_page,
    "metrics": metrics_page,
}
"""By the name of the file in `docs/reference`."""


def write(app: Any) -> None:
    """Write every page whose text has changed, so that Sphinx reads anew only those."""
    for name, page in PAGES.items():
        path, text = Path(app.srcdir, "reference", f"{name}.md"), page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
