"""The page of the errors: the problems of the API, and the tree of exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from esclusa.edges.http.problems import PREFIX, PROBLEMS
from esclusa.kernel import errors
from reference.markdown import code, joined, listed, row, summary

ERRORS = """# Errors

Every error of the API is a problem (RFC 9457): `application/problem+json` with `type`, `title`, `status`, `detail` and
`traceId`; where several things are wrong, `errors` has a JSON pointer and a message for each."""


def errors_page() -> str:
    """What a caller of the API can be refused with, and the tree of exceptions."""
    rows = [
        row(code([PREFIX + problem.name]), str(problem.status), problem.title, problem.description)
        for problem in sorted(PROBLEMS.values(), key=lambda problem: (problem.status, problem.name))
    ]
    return joined(
        ERRORS,
        listed("`type`", "Status", "Title", "What it means, and what to do", rows=rows),
        "## Exceptions",
        "What Python code sees. All are in `esclusa.kernel.errors`; no others cross a port.",
        "\n".join(f"{'  ' * depth}- `{cls.__name__}`: {summary(cls)}" for depth, cls in _descend(errors.EsclusaError)),
    )


def _descend(cls: type[Any], depth: int = 0) -> Iterator[tuple[int, type[Any]]]:
    yield depth, cls
    for below in cls.__subclasses__():
        yield from _descend(below, depth + 1)
