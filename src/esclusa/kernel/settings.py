"""The base of what the configuration says of each capability: one struct a table of the file."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(gt=0, le=1)]
FilePath = Annotated[str, Meta(extra={"path": True})]
"""A path; the configuration makes it absolute, from the folder of the file in which it is written."""


class Settings(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A table of the configuration file: keys in camelCase, unknown ones refused."""
