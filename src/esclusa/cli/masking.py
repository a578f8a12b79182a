"""What a terminal is not shown of a call: secrets, wherever they turn up, and the headers that have them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
_LEAST = 3
"""Characters of a secret below which it is looked for in no text: it would be found everywhere."""
_NAMES = "authorization|cookie|token|secret|password|key"
_TELLING = re.compile(r"^([\w-]*(?:" + _NAMES + r")[\w-]*: ?).*$", re.IGNORECASE | re.MULTILINE)
"""A header whose name says that its value is nobody's business."""
_PARAMETER = re.compile(r"([?&][\w.-]*(?:" + _NAMES + r")[\w.-]*=)[^&\s]*", re.IGNORECASE)
"""A parameter in a URL whose name does."""


class Masking:
    """Masks the secrets that it is made with."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """`secrets`: in clear. Each is masked as it is, and as a URL, a form, XML or base64 has it."""
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _LEAST:
                forms |= {secret, quote(secret, safe=""), quote_plus(secret), _escaped(secret)}
                forms.add(base64.b64encode(secret.encode()).decode())
        found = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._found = re.compile(found) if found else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        return text if self._found is None else self._found.sub(MASK, text)

    def head(self, head: str) -> str:
        """A first line and headers without secrets, and without the values of what is there for them."""
        first, newline, fields = head.partition("\n")
        return self.text(_PARAMETER.sub(rf"\1{MASK}", first) + newline + _TELLING.sub(rf"\1{MASK}", fields))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
