"""A memory stands on nothing, and says that nothing stays."""

from __future__ import annotations

from esclusa.engines.memory.installation import MemoryInstallation


async def test_it_says_that_nothing_stays() -> None:
    (finding,) = await MemoryInstallation().inspect([])
    assert finding.state == "doubtful"
    assert "nothing outlives the process" in finding.what
    assert MemoryInstallation().script([]) == ""
