"""`esclusa init`: a first configuration, to read and to change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from esclusa.cli.exits import Exit
from esclusa.cli.options import FILE
from esclusa.cli.output import Failed, reported, say
from esclusa.config.config import initial


def init(file: Annotated[Path, Parameter(help="Where to write it; esclusa.toml unless given.")] = FILE, /) -> int:
    """Write a configuration with comments, to begin with. Never overwrites.

    For example:

        esclusa init
        esclusa init /etc/esclusa/esclusa.toml
    """
    return reported(lambda: _init(file), json=False)


def _init(file: Path) -> Exit:
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(initial())
    except FileExistsError:
        raise Failed(Exit.FAILED, f"{file} is there already, and stays as it is: name another file") from None
    except OSError as error:
        raise Failed(Exit.FAILED, f"{file} can't be written: {(error.strerror or str(error)).lower()}") from error
    name = "" if file == FILE else f" {file}"
    say(f"{file} is written. Change what it says of the back end and the query, then:")
    say(f"  esclusa check{name}    names every mistake in it")
    say(f"  esclusa run{name}      runs it")
    return Exit.DONE
