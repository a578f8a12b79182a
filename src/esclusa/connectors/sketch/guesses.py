"""What a thing may be, by its name: a guess, which whoever reads the configuration has to judge."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from esclusa.connectors.sketch.part import Kind, Part

SUBJECTS = (
    *("nif", "dni", "nie", "cif", "ssn", "taxid", "vat", "nationalid", "citizenid", "personid", "identitynumber"),
    *("citizen", "ciudadano", "subject", "person", "persona", "titular", "interesado", "holder", "owner", "taxpayer"),
    *("document", "documento", "identifier", "identificador", "customer", "cliente", "user", "usuario", "username", "id"),
)
"""Names of whom a question is about, the likeliest first."""
FISCAL = ("nif", "dni", "nie")
"""Those that say which kind of number it is."""

_MEMBERS: Mapping[str, Sequence[str]] = {
    "label": (
        *("label", "title", "titulo", "name", "nombre", "description", "descripcion", "concept", "concepto", "subject"),
        *("asunto", "type", "tipo", "kind", "number", "numero", "code", "codigo", "id"),
    ),
    "value": ("value", "valor", "points", "puntos", "quantity", "cantidad", "count", "result", "resultado", "number", "numero"),
    "date": ("date", "fecha", "due", "vencimiento", "when", "since", "desde", "created", "updated", "born", "seen"),
    "amount": ("amount", "importe", "total", "price", "precio", "balance", "saldo", "cuota", "deuda", "owes", "cost", "coste"),
    "state": ("state", "status", "estado", "situacion", "phase", "fase"),
    "link": ("link", "url", "href", "uri", "enlace"),
}
_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "label": ("text", "number", "unknown"),
    "value": ("text", "number", "unknown"),
    "date": ("date", "time", "text"),
    "amount": ("number", "text", "unknown"),
    "state": ("text", "number", "truth", "unknown"),
    "link": ("link", "text"),
}
"""Of each member of an item, what it can be, the likeliest first."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name: str) -> list[str]:
    """The words that a name is made of, plain: `taxId` is `tax`, `id`, and `taxid` for both together."""
    plain = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode()
    words = [word.lower() for word in _WORDS.findall(plain)]
    return [*words, "".join(words)]


def subject_among(parts: Iterable[Part]) -> Part | None:
    """Whom the question is about, of all that it takes; None when nothing tells."""
    able = [part for part in parts if part.kind in ("text", "number", "unknown") and not part.many]
    ranked = [(rank, part) for part in able if (rank := _rank(part.name, SUBJECTS)) is not None]
    if ranked:
        return min(ranked, key=lambda each: each[0])[1]
    required = [part for part in able if part.required]
    return required[0] if len(required) == 1 else None


def is_fiscal(name: str) -> bool:
    """Whether the name says that it is a NIF or NIE."""
    return _rank(name, FISCAL) is not None


def members_among(parts: Sequence[tuple[str, Part]]) -> dict[str, str]:
    """Of an item with these parts, each with the expression that finds it, what may stand for each of its members."""
    found: dict[str, str] = {}
    for member in ("date", "amount", "state", "link", "label", "value"):
        ranked = []
        for place, (path, part) in enumerate(parts):
            rank = _rank(part.name, _MEMBERS[member])
            if part.many or part.kind not in _KINDS[member] or path in found.values():
                continue
            if rank is None and not (member in ("date", "link") and part.kind in ("date", "time", "link")):
                continue
            ranked.append((_KINDS[member].index(part.kind), 99 if rank is None else rank, place, path))
        if ranked:
            found[member] = min(ranked)[3]
    if "label" not in found:
        able = [path for path, part in parts if part.kind in _KINDS["label"] and not part.many]
        found |= {"label": able[0]} if able else {}
    return found


def _rank(name: str, known: Sequence[str]) -> int | None:
    words = words_of(name)
    return next((place for place, word in enumerate(known) if word in words), None)
