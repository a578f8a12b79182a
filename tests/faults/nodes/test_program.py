"""What nodes of Cassandra that die or hang do to a whole installation, with a ledger outside as oracle (H5, H7, H14, H21).

Whatever is done to them: every accepted request reaches its final state by its deadline and never changes after, no answer
that was shown is lost, who has answered isn't asked again, what can't be stored or read is refused in time, memory is
bounded, and all recovers by itself. How long that took is told.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.installation import Engines
from support.keyspaces import SOCKETS, How, Nodes
from support.poll import pause
from support.program_scene import STEADY, program_scene

pytestmark = [pytest.mark.real, pytest.mark.soak, SOCKETS, pytest.mark.timeout(240)]

HUNG = 8.0
"""Seconds that a node hangs: longer than any timeout of ours."""
AWAY = 20.0


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_one_of_three_nodes_is_away(nodes: Nodes, engines: Engines, tmp_path: Path, how: How) -> None:
    async with program_scene(engines, tmp_path, faults=0) as play:
        async with nodes.away(1, how=how):
            await pause(HUNG)
            await play.recovered(f"one of three nodes is {how}")
            await play.callers.more(STEADY)
        await play.recovered("it is back")


@pytest.mark.parametrize("how", ["stopped", "hung"])
async def test_all_nodes_are_away(nodes: Nodes, engines: Engines, tmp_path: Path, how: How) -> None:
    async with program_scene(engines, tmp_path, faults=0) as play:
        async with nodes.away(0, 1, 2, how=how):
            await pause(AWAY)
        await play.recovered(f"all nodes were {how} for {AWAY:g} s")
