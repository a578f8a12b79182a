"""The connectors of one process, pool by pool; they may change while it runs (H40)."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Coroutine, Mapping, MutableMapping
from typing import Any

from esclusa.connectors.backend import Backend
from esclusa.connectors.connector import Connector
from esclusa.connectors.settings import ConnectorSettings
from esclusa.kernel.lifecycle import Background


class Roster:
    """The part that has the connectors served here. Start it before the pools that hand questions to its connectors: then it is stopped after them."""

    def __init__(self, pools: Mapping[str, Mapping[str, Connector]]) -> None:
        """`pools`: the connectors of each pool served here, by name."""
        self.background = Background("connectors")
        self._pools: dict[str, MutableMapping[str, Connector]] = {pool: dict(its) for pool, its in pools.items()}
        self.all: Mapping[str, Connector] = ChainMap(*self._pools.values())
        """Every connector that is asked, by name; follows what changes."""
        self._removed: dict[str, tuple[Connector, asyncio.Task[None]]] = {}
        """Connectors that were removed and finish what they hold, by name."""
        self._leaving: set[asyncio.Task[None]] = set()

    def __contains__(self, pool: str) -> bool:
        """Whether the pool is served here."""
        return pool in self._pools

    def of(self, pool: str) -> Mapping[str, Connector]:
        """The connectors of one pool, by name; follows what changes."""
        return self._pools[pool]

    def add(self, pool: str, connector: Connector) -> None:
        """`connector` is asked from now on."""
        self._pools[pool][connector.name] = connector

    def restore(self, pool: str, name: str) -> bool:
        """Whether there is a connector of that name that had not finished yet: then it is asked again from now on.

        A second one beside it would not know of the calls that the first one still makes.
        """
        if name not in self._removed:
            return False
        connector, finishing = self._removed.pop(name)
        if connector.closed or not finishing.cancel():
            return False
        self._pools[pool][name] = connector
        return True

    def change(self, name: str, settings: ConnectorSettings, backend: Backend) -> None:
        """The connector `name` goes by `settings` and asks `backend` from now on; see `Connector.change`."""
        self._see_to(name, self.all[name].change(settings, backend))

    def remove(self, name: str) -> None:
        """The connector `name` is asked no more, and finishes what it holds."""
        for its in self._pools.values():
            removed = its.pop(name, None)
            if removed is not None:
                self._removed[name] = removed, self._see_to(name, self._finish(removed))

    async def start(self) -> None:
        """Nothing to do: connectors connect when they are first asked."""

    async def drain(self) -> None:
        """Nothing to do: the pools have had every answer by now."""

    async def stop(self) -> None:
        """Close every connection."""
        for each in (*self.all.values(), *(removed for removed, _ in self._removed.values())):
            await each.close()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _finish(self, removed: Connector) -> None:
        await removed.finish()
        if self._removed.get(removed.name, (None,))[0] is removed:  # else it is about one that came after it
            del self._removed[removed.name]

    def _see_to(self, name: str, leaving: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Something is let go of, once those who still need it have what they need."""
        task = self.background.spawn(name, leaving)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task
