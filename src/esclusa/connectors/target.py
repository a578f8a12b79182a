"""The URL of a back end: where it is, and the path and query of one question. Values can't change its shape."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote, urlsplit

from esclusa.connectors.backend import Question
from esclusa.connectors.template import Template, percent, segment
from esclusa.connectors.transport import Origin

_path_literal = partial(quote, safe="/%:@!$&'()*+,;=~")
_query_literal = partial(quote, safe="/%:@!$&'()*+,;=~?")


class Target:
    """`url`, compiled; `ValueError` in words when it is none that can be called.

    Placeholders can stand in the path and in the values of the query, not where the host is. A parameter of the query
    whose placeholder has no value is left out.
    """

    __slots__ = ("_pairs", "_path", "origin")

    def __init__(self, url: str, query: Mapping[str, str]) -> None:
        """`query`: parameters to add, by name; values with placeholders."""
        parts = urlsplit(url)
        if "{" in parts.netloc or "{" in parts.scheme:
            raise ValueError("placeholders can't stand where the host is")
        if parts.fragment or url.endswith("#"):
            raise ValueError("a URL that is called has no fragment (#)")
        self.origin = Origin.of(url)
        self._path = Template(parts.path or "/", segment, literal=_path_literal)
        if _climbs(parts.path):
            raise ValueError("write the path without . and .. in it")
        written = parts.query.split("&") if parts.query else []
        self._pairs = [("", Template(pair, percent, literal=_query_literal)) for pair in written]
        self._pairs += [(percent(name) + "=", parameter(text)) for name, text in query.items()]

    def fill(self, question: Question) -> str:
        """Path and query, percent-encoded. `ValueError` when a value can't stand in the path, or is left out there."""
        path = self._path.constant
        if path is None:
            path = self._path.fill(question)
            if path is None:
                raise ValueError("a value in the path is left out")
            if _climbs(path):
                raise ValueError("a value would lead to another path")
        if not self._pairs:
            return path
        filled = [(start, template.fill(question)) for start, template in self._pairs]
        query = "&".join([start + value for start, value in filled if value is not None])
        return f"{path}?{query}" if query else path


def parameter(text: str) -> Template:
    """The value of a query parameter, with placeholders."""
    return Template(text, percent, literal=percent)


def _climbs(path: str) -> bool:
    return "/." in path and any(part in (".", "..") for part in path.split("/"))
