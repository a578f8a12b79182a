"""Texts with placeholders, filled with what is asked: `https://dgt.example/people/{subject}?from={params.period.from}`.

`{subject}`, `{request}` (its id) and `{params.NAME}`; `{{` and `}}` are braces. Each value is escaped for the place where it
stands, so that nothing that a user writes can be read as anything but a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape as html_escape
from operator import attrgetter
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from esclusa.connectors.backend import Question

Escape = Callable[[str], str]
"""A value as it may stand in one kind of place. `ValueError`, in words without the value, when it can't."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_VISIBLE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARAMS = "params."
_FIXED = ("subject", "request")


def placeholders(text: str) -> list[str]:
    """What stands between braces, in order, known or not; `ValueError` for a brace with no partner."""
    return [token for token, is_placeholder in _tokens(text) if is_placeholder]


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Pieces of literal text, and names of placeholders (True)."""
    tokens: list[tuple[str, bool]] = []
    end = 0
    for match in _TOKEN.finditer(text):
        tokens.append((text[end : match.start()], False))
        end = match.end()
        found = match[0]
        if found in ("{", "}"):
            raise ValueError(f"the {found} at character {match.start() + 1} has no partner: write {found * 2} for a brace")
        tokens.append((found[0], False) if found in ("{{", "}}") else (match[1], True))
    tokens.append((text[end:], False))
    return [token for token in tokens if token[0] or token[1]]


class Template:
    """A text, compiled. `ValueError`, naming every one of them, for placeholders that are none.

    `escape` is applied to values, `literal` to the text around them. `absent`: what stands for a parameter that the
    question leaves out; None: then there is no text at all.
    """

    __slots__ = ("_absent", "_escape", "_parts", "constant")

    def __init__(self, text: str, escape: Escape, *, literal: Escape | None = None, absent: str | None = None) -> None:
        tokens = _tokens(text)
        wrong = [f"{{{name}}}" for name, is_placeholder in tokens if is_placeholder and not _is_known(name)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: a placeholder is one of {{subject}}, {{params.NAME}}, {{request}}")
        self._escape = escape
        self._absent = absent
        self._parts: list[str | Callable[[Question], str | None]] = []
        for token, is_placeholder in tokens:
            self._parts.append(_value_of(token) if is_placeholder else literal(token) if literal else token)
        whole = [part for part in self._parts if isinstance(part, str)]
        self.constant = "".join(whole) if len(whole) == len(self._parts) else None
        """The text, when it is always the same."""

    def fill(self, question: Question) -> str | None:
        """The text for `question`; None when it leaves a value out. `ValueError` when a value can't stand here."""
        if self.constant is not None:
            return self.constant
        pieces = []
        for part in self._parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            value = part(question)
            if value is not None:
                pieces.append(self._escape(value))
            elif self._absent is not None:
                pieces.append(self._absent)
            else:
                return None
        return "".join(pieces)


def _is_known(name: str) -> bool:
    return name in _FIXED or (name.startswith(_PARAMS) and len(name) > len(_PARAMS))


def _value_of(name: str) -> Callable[[Question], str | None]:
    if name in _FIXED:
        return attrgetter(name)
    param = name[len(_PARAMS) :]
    return lambda question: question.params.get(param)


class JsonTemplate:
    """A table or list with placeholders in its strings, sent as JSON.

    A member of a table whose placeholder has no value is left out; an item of a list is then `null`.
    """

    __slots__ = ("_make",)

    def __init__(self, body: Any) -> None:
        self._make = _compiled(body)

    def fill(self, question: Question) -> bytes:
        """The JSON for `question`."""
        return msgspec.json.encode(self._make(question))


def _compiled(node: Any) -> Callable[[Question], Any]:
    if isinstance(node, str):
        template = Template(node, verbatim)
        return template.fill
    if isinstance(node, dict):
        members = {key: _compiled(value) for key, value in node.items()}
        optional = {key for key, value in node.items() if isinstance(value, str)}

        def table(question: Question) -> dict[str, Any]:
            made = {key: make(question) for key, make in members.items()}
            return {key: value for key, value in made.items() if value is not None or key not in optional}

        return table
    if isinstance(node, list):
        items = [_compiled(value) for value in node]
        return lambda question: [make(question) for make in items]
    return lambda _: node


def verbatim(value: str) -> str:
    """As it is: for plain text, and for what is escaped later as a whole."""
    return value


def percent(value: str) -> str:
    """For a query, or any other part of a URL (RFC 3986): all but letters, digits and `-._~` percent-encoded."""
    return value if value.isalnum() and value.isascii() else quote(value, safe="")


def segment(value: str) -> str:
    """For a path: as `percent`. Nothing is refused, because without it the path is another resource's."""
    if not value:
        raise ValueError("a value in the path is empty")
    return percent(value)


def header(value: str) -> str:
    """For a header field: visible ASCII, with spaces inside alone."""
    if not _VISIBLE.fullmatch(value):
        raise ValueError("a value has characters that a header can't have")
    return value


def header_template(text: str) -> Template:
    """The value of a header field, with placeholders."""
    return Template(text, header, literal=_header_literal)


def _header_literal(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("a header is written in visible ASCII")
    return text


def json_string(value: str) -> str:
    """For the inside of a JSON string."""
    return msgspec.json.encode(value).decode()[1:-1]


def xml(value: str) -> str:
    """For the content of an XML element or attribute."""
    if _NOT_XML.search(value):
        raise ValueError("a value has characters that XML can't have")
    return html_escape(value)


def escape_of(media_type: str) -> Escape:
    """How values stand in a body of this type, so that they stay values there."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind.endswith(("/json", "+json")):
        return json_string
    if kind.endswith(("/xml", "+xml", "/html")):
        return xml
    return quote_plus if kind == "application/x-www-form-urlencoded" else verbatim
