"""What a terminal is not shown of a call: secrets, wherever they turn up, and the headers that have them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

MASK = "***"
_LEAST = 3
"""Characters of a secret below which it is looked for in no text: it would be found everywhere."""
_NAMES = "authorization|cookie|token|secret|password|key"
_TELLING = re.compile(r"^([\w-]*(?:" + _NAMES + r")[\w-]*: ?)(.*)$", re.IGNORECASE | re.MULTILINE)
"""A header whose name says that its value is nobody's business."""
_PARAMETER = re.compile(r"([?&][\w.-]*(?:" + _NAMES + r")[\w.-]*=)[^&\s]*", re.IGNORECASE)
"""A parameter in a URL whose name does."""


def shown_secrets(heads: Iterable[str]) -> Iterator[str]:
    """What the headers of requests have that are there for secrets: tokens that were fetched, pairs of name and password."""
    for head in heads:
        for _, value in _TELLING.findall(head.partition("\n")[2]):
            yield value
            yield value.rpartition(" ")[2]


class Masking:
    """Masks the secrets that it is made with."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """`secrets`: in clear. Each is masked as it is, and as a URL, a form, XML, HTML, JSON, Python or base64 has it."""
        forms = {form for secret in secrets if len(secret) >= _LEAST for form in _forms(secret)}
        found = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._found = re.compile(found) if found else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        return text if self._found is None else self._found.sub(MASK, text)

    def head(self, head: str) -> str:
        """A first line and headers without secrets, and without the values of what is there for them."""
        first, newline, fields = head.partition("\n")
        return self.text(_PARAMETER.sub(rf"\1{MASK}", first) + newline + _TELLING.sub(rf"\1{MASK}", fields))

    def json(self, data: bytes) -> msgspec.Raw:
        """JSON without secrets, and still JSON: also a number that is one is a text then."""
        text = data.decode()
        if self.text(text) == text:
            return msgspec.Raw(data)
        return msgspec.Raw(msgspec.json.encode(self._without(msgspec.json.decode(data))))

    def _without(self, value: Any) -> Any:
        match value:
            case dict():
                return {self.text(name): self._without(each) for name, each in value.items()}
            case list():
                return [self._without(each) for each in value]
            case str():
                return self.text(value)
            case int() | float() if not isinstance(value, bool) and self.text(str(value)) != str(value):
                return MASK
            case _:
                return value


def _forms(secret: str) -> Iterator[str]:
    """A secret as those have it who pass it on."""
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (html.escape(secret, quote=False), html.escape(secret), html.escape(secret).replace("&#x27;", "&apos;"))
    for plain in (True, False):
        written = json.dumps(secret, ensure_ascii=plain)[1:-1]
        yield from (written, written.replace("/", "\\/"))
    yield repr(secret)[1:-1]
    encoded = secret.encode()
    yield from (base64.b64encode(encoded).decode(), base64.urlsafe_b64encode(encoded).decode())
