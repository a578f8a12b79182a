"""The page of metrics and log lines, from the calls that make them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from reference.markdown import code, joined, listed, row, text

SRC = Path(__file__).parents[3] / "src"


def metrics_page() -> str:
    """Every counter, gauge and histogram, and every log line."""
    metrics = [row(code([name]), kind, code(labels), about) for name, kind, labels, about in sorted(instruments())]
    lines = [row(event, level, code(facts)) for event, level, facts in sorted(log_lines())]
    return joined(
        "# Metrics and log lines",
        "`/metrics` serves these in the format of Prometheus, with those of the process (`process_*`) and of Python (`python_*`).",
        listed("Name", "Kind", "Labels", "What it tells", rows=metrics),
        "## Log lines",
        "On standard error, as `[log] format` says. Subjects are masked everywhere.",
        listed("Event", "Level", "Facts", rows=lines),
    )


def instruments() -> set[tuple[str, str, tuple[str, ...], str]]:
    """`(name, kind, labels, about)` of every metric that the code makes."""
    found = set()
    for call, method in _calls("counter", "gauge", "histogram"):
        texts = [text(argument) for argument in call.args]
        if texts and texts[0].startswith("esclusa_"):
            labels = texts[2:]
            if len(call.args) > 2 and isinstance(call.args[2], ast.Tuple):
                labels = [text(label) for label in call.args[2].elts]
            found.add((texts[0], method, tuple(label for label in labels if label), texts[1]))
    return found


def log_lines() -> set[tuple[str, str, tuple[str, ...]]]:
    """`(event, level, facts)` of every log line that the code writes."""
    return {
        (text(call.args[0]), method.upper(), tuple(word.arg for word in call.keywords if word.arg))
        for call, method in _calls("debug", "info", "warn", "error")
        if len(call.args) == 1 and text(call.args[0])
    }


def _calls(*methods: str) -> Iterator[tuple[ast.Call, str]]:
    """Calls of a method of these names, anywhere in the product."""
    for path in sorted(SRC.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
                yield node, node.func.attr
