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
        secrets = _marked(type(self), "secret")
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
    return (found for _, found in _values(table, "secret"))


def files_of(table: Settings) -> dict[tuple[str, ...], str]:
    """Every path in `table` and in the tables within it, by its key there: `("tls", "ca")`. What may be a URL may be one."""
    return dict(_values(table, "path"))


def _values(table: Settings, mark: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, key in zip(table.__struct_fields__, table.__struct_encode_fields__, strict=True):
        value = getattr(table, name)
        if isinstance(value, Settings):
            yield from (((key, *below), found) for below, found in _values(value, mark))
        elif name in _marked(type(table), mark) and value:
            yield (key,), value


@cache
def _marked(table: type[Settings], mark: str) -> frozenset[str]:
    """The fields whose type bears `mark`."""
    hints = get_type_hints(table, include_extras=True)
    return frozenset(name for name, hint in hints.items() if any(_bears(each, mark) for each in (hint, *get_args(hint))))


def _bears(hint: Any, mark: str) -> bool:
    return any(isinstance(each, Meta) and each.extra == {mark: True} for each in getattr(hint, "__metadata__", ()))
