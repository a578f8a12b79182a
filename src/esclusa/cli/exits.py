"""The exit codes of the commands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes: a shell's contract, so they never change their meaning."""

    DONE = 0
    FAILED = 1
    MISTAKE = 2
    UNREACHABLE = 3
    REFUSED = 4
    INCOMPLETE = 5
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = {
    Exit.DONE: "Done; for ask: everyone concerned has answered",
    Exit.FAILED: "It could not be done: disk, address or the like",
    Exit.MISTAKE: "A mistake in the configuration or in the command line",
    Exit.UNREACHABLE: "Nobody answers where the service should be",
    Exit.REFUSED: "The service answered and refused, or is failing",
    Exit.INCOMPLETE: "Asked and final, but somebody's answer is missing",
    Exit.INTERRUPTED: "Interrupted with Ctrl-C",
}
