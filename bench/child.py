"""A program of the bench in a process of its own: it says one line once it is ready, and ends with its standard input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def child(module: str, *arguments: str) -> Iterator[bytes]:
    """What `python -m MODULE` says, for as long as this lasts; nothing where it has ended."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - this program
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        try:
            yield process.stdout.readline()
        finally:
            process.stdin.close()
