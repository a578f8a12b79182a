"""What a question has to say: placeholders for what is asked, and the parameters that a query declares for them."""

from __future__ import annotations

import re
import unicodedata

from esclusa.connectors.sketch.guesses import is_fiscal, subject_among
from esclusa.connectors.sketch.page import Page, as_template, as_text
from esclusa.connectors.sketch.part import Part

_TYPES = {"number": "number", "date": "date"}
"""Of parameters, by kind; all others are texts."""
_LONGEST = 64
SUBJECT = "{subject}"


class Asked:
    """Turns what an operation takes into placeholders, one of which is the subject."""

    def __init__(self, parts: list[Part]) -> None:
        """`parts`: all that it takes, without tables; the likeliest to be the subject first, where names don't tell."""
        self.subject = subject_among(parts)
        """Whom the question seems to be about."""
        self._params: dict[str, Part] = {}

    def admit(self, page: Page) -> None:
        """Say so when nothing tells whom the question is about."""
        if self.subject is None:
            page.remark(
                f"guess: nothing here tells whom it is about. Put {SUBJECT} where that belongs, in place of what stands there."
            )

    def text(self, part: Part) -> tuple[str, str | None]:
        """What is written for `part`, and what there is to say of it."""
        about = _about(part)
        if part is self.subject:
            return SUBJECT, f"guess: whom it is about, because of the name{about}"
        if part.always is not None and (part.required or len(part.choices) == 1):
            said = "true" if part.always is True else "false" if part.always is False else str(part.always)
            return as_template(said), f"guess: what the description has when nothing is said{about}"
        name = self._declared(part)
        return f"{{params.{name}}}", f"{'required' if part.required else 'left out when it is not asked'}{about}"

    def _declared(self, part: Part) -> str:
        """The name of its parameter."""
        for name, known in self._params.items():
            if known is part:
                return name
        plain = unicodedata.normalize("NFKD", part.name[:200]).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")
        slug = (slug if slug[:1].isalpha() else f"p{slug}")[: _LONGEST - 4]
        name, number = slug, 1
        while name in self._params:
            number += 1
            name = f"{slug}{number}"
        self._params[name] = part
        return name

    def query(self, page: Page, name: str, title: str) -> None:
        """The query that asks the connector `name`, so that what is written can be tried."""
        page.blank()
        page.blank()
        page.remark("A kind of question, and whom it goes to. Take it away if a query of yours asks this connector already.")
        page.blank()
        page.table("queries", name)
        page.entry("title", as_text(title))
        page.entry("connectors", [name])
        if self.subject is not None and is_fiscal(self.subject.name):
            page.entry("subject", "nif", "guess, because of the name: a NIF or NIE, checked")
        else:
            page.entry(
                "subject", "text", 'guess: any text; "nif" is a NIF or NIE, checked, and a regular expression any other form'
            )
        for param, part in self._params.items():
            page.blank()
            page.table("queries", name, "params", param)
            kind = _TYPES.get(part.kind, "text")
            page.entry("type", kind, None if kind == part.kind else f"guess: the description says {part.kind}")
            if part.about:
                page.entry("title", as_text(part.about[:80]))
            if part.required:
                page.entry("required", value=True)


def _about(part: Part) -> str:
    said = f"; one of {', '.join(part.choices[:12])}" if part.choices else ""
    return f"{said}; {part.about}" if part.about else said
