"""What a command says: words for people, one JSON document for programs, mistakes to standard error."""

from __future__ import annotations

import sys
import textwrap
import traceback
import unicodedata
from collections.abc import Callable
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from esclusa.cli.exits import Exit
from esclusa.kernel.errors import ConfigurationError, EsclusaError, Mistake, PartDied

_WIDE = 200
"""Columns where there is no terminal to measure."""
NARROW = 110
"""Columns below which a table says less, so that names stay whole."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Categories of characters that do something rather than being seen."""


class Failed(EsclusaError):
    """A command can't be done; the message is for the user. `document`: what is said with `--json` instead."""

    def __init__(self, code: Exit, message: str, document: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.document = {"title": message} if document is None else document


def words() -> Console:
    """Standard output for people: colours and control codes on a terminal only."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)


def ruled(width: int, *, expand: bool = False) -> Table:
    """An empty table with a line below its heads; on a terminal that is narrow, with no space to spare."""
    narrow = width < NARROW
    padding = (0, 1, 0, 0) if narrow else (0, 1)
    return Table(box=SIMPLE_HEAD, expand=expand, pad_edge=False, show_edge=not narrow, padding=padding)


def say(text: str = "") -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")


def tell(text: str, hanging: int = 0) -> None:
    """A paragraph on standard output; on a terminal it is broken between words, and goes on `hanging` columns from the left."""
    if sys.stdout.isatty():
        text = textwrap.fill(
            text, words().width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
        )
    say(text)


def complain(text: str) -> None:
    """A line on standard error."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")


def document(value: Any) -> None:
    """The one JSON document of a command with `--json`; bytes are JSON already."""
    encoded = value if isinstance(value, bytes) else msgspec.json.encode(value)
    say(msgspec.json.format(encoded, indent=2).decode())


def mistakes(found: list[Mistake]) -> dict[str, Any]:
    """The JSON form of a configuration's mistakes; none: it is sound."""
    return {"sound": not found, "mistakes": found}


def reported(work: Callable[[], Exit], *, json: bool) -> Exit:
    """Do `work`, and say in words, and as `json` too if so wanted, what goes wrong."""
    try:
        return work()
    except ConfigurationError as error:
        if json:
            document(mistakes(error.mistakes))
        complain(str(error))
        return Exit.MISTAKE
    except Failed as failed:
        if json:
            document(failed.document)
        for line in str(failed).splitlines():
            complain(f"esclusa: {harmless(line)}")
        return failed.code
    except BrokenPipeError:
        raise  # whoever read has enough: no failure of this command
    except (EsclusaError, OSError) as error:
        if json:
            document({"title": str(error)})
        if isinstance(error, PartDied):
            _show_fault(error)
        complain(f"esclusa: {error}")
        return Exit.FAILED


def _show_fault(died: PartDied) -> None:
    """A part that died of a fault of our own says where: whoever mends it has to see."""
    if not isinstance(died.__cause__, EsclusaError | OSError):
        traceback.print_exception(died.__cause__)


def harmless(text: str) -> str:
    """`text` with escapes in place of what could control a terminal or hide what stands beside it; line ends become spaces."""
    return "".join(
        " " if char in "\n\r\t" else char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNSEEN else char
        for char in text
    )
