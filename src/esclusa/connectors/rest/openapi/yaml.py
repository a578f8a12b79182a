"""YAML by the schema of JSON alone, as OpenAPI asks for it: keys are texts, a date is one too, and `no` is no truth."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

LARGEST = 4 * 1024 * 1024
"""Bytes; its reader is much slower than that of JSON."""
DEEPEST = 100
"""Levels of tables and lists."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def composed(document: bytes) -> Any:
    """The first document in `document`. `ValueError` in words.

    What an alias stands for is there once, however often it is named, and nothing can be inside itself. Events are
    read one after the other, so no depth does harm.
    """
    if len(document) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MiB: turn it into JSON")
    composer = _Composer()
    line = 0
    try:
        for event in yaml.parse(document, Loader=_LOADER):
            line = line if event.start_mark is None else event.start_mark.line + 1
            if composer.take(event):
                break
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        raise ValueError("a mistake" if mark is None else f"a mistake in line {mark.line + 1}") from None
    except UnicodeError:
        raise ValueError("it is in no charset that YAML has") from None
    except ValueError as error:
        raise ValueError(f"{error}, in line {line}") from None
    return composer.whole


class _Open(msgspec.Struct):
    """A table or list that has not ended."""

    inside: Any
    anchor: str | None
    key: str | None = None
    """Of a table: the one that waits for its value."""


class _Composer:
    """Puts the events of one document together."""

    def __init__(self) -> None:
        self.whole: Any = None
        """The document, once `take` has said that it has ended."""
        self._open: list[_Open] = []
        self._anchors: dict[str, Any] = {}

    def take(self, event: yaml.Event) -> bool:
        """Whether that was the end."""
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if len(self._open) == DEEPEST:
                    raise ValueError(f"it has more than {DEEPEST} levels")
                self._open.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor))
                return False
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                ended = self._open.pop()
                return self._put(ended.inside, None, ended.anchor)
            case yaml.ScalarEvent():
                plain = event.style is None or not event.style.strip("\0")
                return self._put(_scalar(event.value) if plain else event.value, event.value, event.anchor)
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise ValueError("an alias stands for nothing, or for what it is in")
                value = self._anchors[event.anchor]
                return self._put(value, value if isinstance(value, str) else None, None)
            case _:
                return False

    def _put(self, value: Any, text: str | None, anchor: str | None) -> bool:
        """`text`: `value` as a key."""
        if anchor is not None:
            self._anchors[anchor] = value
        if not self._open:
            self.whole = value
            return True
        holder = self._open[-1]
        if isinstance(holder.inside, list):
            holder.inside.append(value)
        elif holder.key is not None:
            holder.inside[holder.key] = value
            holder.key = None
        elif text is None:
            raise ValueError("a key is no text")
        else:
            holder.key = text
        return False


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
