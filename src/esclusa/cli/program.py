"""What a user writes to start this program again."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "esclusa"


def program() -> str:
    """What to write in another terminal: the name, where the PATH leads to this very program, and else where it is."""
    started = Path(sys.argv[0])
    found = shutil.which(NAME)
    if started.name != NAME or (found is not None and Path(found).resolve() == started.resolve()):
        return NAME  # on the PATH, or no command at all but a program that called it
    whole = os.path.abspath(started)  # noqa: PTH100 - a link stays as it is: it may lead into an environment
    beside = os.path.relpath(whole)
    if os.sep not in beside:
        beside = os.path.join(os.curdir, beside)  # noqa: PTH118 - a Path has no "./"
    return shlex.quote(min(beside, whole, key=len))
