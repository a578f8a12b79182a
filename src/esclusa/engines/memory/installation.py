"""What a memory stands on: nothing."""

from __future__ import annotations

from collections.abc import Sequence

from esclusa.ports.installation import Finding
from esclusa.ports.log import Topic


class MemoryInstallation:
    """`esclusa.ports.installation.Installation` of a memory."""

    async def inspect(self, topics: Sequence[Topic]) -> list[Finding]:  # noqa: ARG002 - the port's
        """That nothing stays."""
        return [Finding("memory", "doubtful", "nothing outlives the process", 'for more than a trial: engine = "embedded"')]

    def script(self, topics: Sequence[Topic]) -> str:  # noqa: ARG002 - the port's
        """Nothing has to be made by anybody."""
        return ""
