"""Which process did what: joined from the log lines of all, by request and connector.

Nothing is asked of the service for it: a line a call, a line a request (INFO), a line a write (DEBUG, of collectors) and a
line for all that the proxy passes on say enough.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping

import msgspec

RECENT = 500
"""Requests of which is known who did what; of older ones it is forgotten."""
PATIENCE = 0.5
"""Seconds that lines may be later than what they tell of: a process writes its own every tenth of a second."""
_REQUESTS = "/api/v1/requests/"


class Line(msgspec.Struct, frozen=True):
    """What is read of a log line."""

    event: str
    request: str = ""
    connector: str = ""
    attempts: int = 0
    connectors: int | list[str] = []
    """How many are asked, or whose answers were written."""
    method: str = ""
    path: str = ""
    to: str = ""
    """Addresses that the proxy asked, in turn."""


class Deeds:
    """Fed with every line of every process."""

    def __init__(self, hubs: Mapping[str, str]) -> None:
        """`hubs`: names by address."""
        self.done: Counter[str] = Counter()
        """By process: requests accepted, calls made, answers recorded, requests passed on."""
        self._hubs = hubs
        self._requests: OrderedDict[str, _Request] = OrderedDict()
        self._news = asyncio.Event()
        self._decode = msgspec.json.Decoder(Line).decode

    def take(self, process: str, line: bytes) -> None:
        """Take one in; what is no line of ours is passed over."""
        try:
            said = self._decode(line)
        except msgspec.MsgspecError:
            return
        match said.event:
            case "request accepted":
                self.done[process] += 1
            case "call ended":
                self.done[process] += bool(said.attempts)
                self._of(said.request).called.setdefault(said.connector, {})[process] = None
            case "answers recorded" if isinstance(said.connectors, list):
                self.done[process] += len(said.connectors)
                self._of(said.request).recorded |= dict.fromkeys(said.connectors, process)
            case "passed on":
                self.done[process] += 1
                if said.method == "GET" and said.path.startswith(_REQUESTS):
                    self._of(said.path.removeprefix(_REQUESTS)).looks.append(said.to)
            case _:
                return
        self._news.set()

    def _of(self, request: str) -> _Request:
        found = self._requests.get(request)
        if found is None:
            found = self._requests[request] = _Request({}, {}, [])
            if len(self._requests) > RECENT:
                self._requests.popitem(last=False)
        return found

    def called(self, request: str, connector: str) -> list[str]:
        """Who has answered for the connector; two, where the first was killed before all the others knew."""
        return list(self._of(request).called.get(connector, ()))

    def recorded(self, request: str, connector: str) -> str | None:
        """Who has recorded the answer."""
        return self._of(request).recorded.get(connector)

    def looked(self, request: str) -> str | None:
        """The hub that served the last look at the request: the last of those that were asked for it."""
        looks = self._of(request).looks
        return self._hubs.get(looks[-1].rpartition(", ")[2]) if looks else None

    async def known(self, request: str, connectors: Iterable[str]) -> None:
        """Return once it is known who did what for all of them, or after `PATIENCE`: who is killed takes lines along."""
        waiting = set(connectors)
        try:
            async with asyncio.timeout(PATIENCE):
                while waiting := {
                    each for each in waiting if not (self.called(request, each) and self.recorded(request, each))
                }:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return


class _Request(msgspec.Struct):
    """What is known of one request."""

    called: dict[str, dict[str, None]]
    """Processes by connector, in the order in which they said so."""
    recorded: dict[str, str]
    """Collectors by connector."""
    looks: list[str]
    """What the proxy asked, look by look."""
