"""What goes into the body of a request, and in which form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from esclusa.connectors.rest.openapi.description import OpenApi, Operation
from esclusa.connectors.rest.openapi.schema import part_of
from esclusa.connectors.rest.openapi.tree import table
from esclusa.connectors.sketch.part import Part, eased

Form = str
"""`json`, `form`, `xml`, `text`, or the media type that is none of these."""


class Body(msgspec.Struct, frozen=True):
    """A body that is asked for, or answered."""

    form: Form
    part: Part
    """What is in it."""


def asked(description: OpenApi, operation: Operation) -> Body | None:
    """What the request has in its body; None: nothing."""
    if operation.method not in ("POST", "PUT"):
        return None
    return _body(description, table(description.at(operation.node.get("requestBody")), "content"))


def answered(description: OpenApi, operation: Operation) -> Body | None:
    """What a good answer has in its body; None where the description doesn't say."""
    responses = table(operation.node, "responses")
    good = sorted(status for status in responses if status[:1] == "2" or status == "default")
    for status in good:
        body = _body(description, table(description.at(responses[status]), "content"))
        if body is not None:
            return body
    return None


def form_of(media_type: str) -> Form:
    """The form of bodies of this type."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind in ("*/*", "application/*") or kind.endswith(("/json", "+json")):
        return "json"
    if kind.endswith(("/xml", "+xml")):
        return "xml"
    if kind == "application/x-www-form-urlencoded":
        return "form"
    return "text" if kind.startswith("text/") else kind


def leaves(part: Part) -> Iterator[Part]:
    """All in `part` that are values."""
    if part.kind != "table":
        yield part
    for each in part.parts:
        yield from leaves(each)


def _body(description: OpenApi, content: dict[str, Any]) -> Body | None:
    """Of several forms, the one that is easiest to have."""
    forms = {form_of(media_type): described for media_type, described in reversed(content.items())}
    if not forms:
        return None
    form = next((each for each in ("json", "form", "xml", "text") if each in forms), min(forms))
    part = part_of(description, "", table(forms[form], "schema"))
    return Body(form, msgspec.structs.replace(part, parts=eased(part.parts)))
