"""A configuration that is being checked."""

from __future__ import annotations

import msgspec

from esclusa.config.findings import Findings
from esclusa.config.lines import Key
from esclusa.config.settings import Configuration
from esclusa.config.tree import Node


class Draft(msgspec.Struct, frozen=True):
    """What a configuration says, where it says so, and what is wrong with it.

    What has the wrong type is left out of `settings` and has been noted, so rules judge what is in `settings` and ask
    `root` whether something is written at all.
    """

    root: Node
    settings: Configuration
    findings: Findings

    def wrong(self, path: Key, what: str) -> None:
        """Note a mistake in what is at `path`, or absent there. `what` must not contain the value of a secret."""
        self.findings.add(self.root.where(*path), what)

    def shown(self, *path: str | int) -> str:
        """What is written at `path`, for a mistake."""
        found = self.root.find(*path)
        return "" if found is None else found.shown()

    def given(self, *path: str | int) -> bool:
        """Whether something is written at `path` and its value is known."""
        found = self.root.find(*path)
        return found is not None and not found.unknown
