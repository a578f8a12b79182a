"""The base of what the configuration says of each capability: one struct a table of the file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(gt=0, le=1)]
FilePath = Annotated[str, Meta(extra={"path": True})]
"""A path; the configuration makes it absolute, from the folder of the file in which it is written."""
Secret = Annotated[str, Meta(extra={"secret": True})]
"""What nobody may read; wherever its table is shown, `***` is in its place."""


class Settings(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A table of the configuration file: keys in camelCase, unknown ones refused."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        secrets = _secrets(type(self))
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return [(name, "***" if name in secrets and value else value) for name, value in values.items()]


class TlsSettings(Settings, frozen=True, kw_only=True):
    """How servers are recognised, and how this program shows who it is. All files are PEM."""

    ca: FilePath | None = None
    """The authorities that servers' certificates must come from; the system's where it is left out."""
    certificate: FilePath | None = None
    """This program's own certificate, and what stands between it and an authority, where servers ask for one; with `key`."""
    key: FilePath | None = None
    """The private key of `certificate`."""
    password: Secret | None = None
    """Of the key, where it is encrypted; from the environment: `"${KEY_PASSWORD}"`."""


def secrets_of(table: Settings) -> Iterator[str]:
    """Every secret in `table` and in the tables within it."""
    for name in table.__struct_fields__:
        value = getattr(table, name)
        if isinstance(value, Settings):
            yield from secrets_of(value)
        elif name in _secrets(type(table)) and value:
            yield value


@cache
def _secrets(table: type[Settings]) -> frozenset[str]:
    hints = get_type_hints(table, include_extras=True)
    return frozenset(name for name, hint in hints.items() if any(_is_secret(each) for each in (hint, *get_args(hint))))


def _is_secret(hint: Any) -> bool:
    return any(isinstance(each, Meta) and each.extra == {"secret": True} for each in getattr(hint, "__metadata__", ()))
