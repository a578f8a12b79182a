"""What there is to see of the cluster: its processes, and above the table who served and who did what."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dev.demo.deeds import Deeds
from dev.demo.supervisor import State, Supervised
from esclusa.cli.client import Away
from esclusa.cli.table import AnswerTable, Aside
from esclusa.edges.http.wire import AnswerBody, SnapshotBody

EVENTS = 3
"""Of what happened, the last so many stay in sight while answers come."""
_COLOURS = {State.STARTING: "yellow", State.RUNNING: "green", State.ENDED: "red", State.BACK: "cyan"}
_HEADS = ("Process", "Role", "Pid", "State", "Done so far")
_WIDTHS = (12, 12, 7, 8, 15)
_WIDTH = sum(_WIDTHS) + len(_WIDTHS)
"""Columns of a process, with the space after each."""


class Panel:
    """The processes of an installation, a line each; on a wide terminal two beside each other."""

    def __init__(self, servers: Sequence[Supervised], deeds: Deeds) -> None:
        self._servers = servers
        self._deeds = deeds

    def height(self, width: int) -> int:
        """Lines that it takes."""
        return 1 + len(self._columns(width)[0])

    def drawn(self, width: int) -> Table:
        """As it is now."""
        columns = self._columns(width)
        grid = Table.grid(padding=(0, 1, 0, 0))
        for _ in columns:
            for place, each in enumerate(_WIDTHS):
                grid.add_column(no_wrap=True, width=each, justify="right" if place == _HEADS.index("Pid") else "left")
        grid.add_row(*(Text(head, style="bold") for _ in columns for head in _HEADS))
        for place in range(len(columns[0])):
            grid.add_row(*(cell for column in columns if place < len(column) for cell in self._cells(column[place])))
        return grid

    def lines(self) -> list[str]:
        """The same as plain lines."""
        return [
            f"{each.name:<13}{each.role:<13}pid {each.pid:<9}{each.state.value:<9}{self._done(each)}".rstrip()
            for each in self._servers
        ]

    def _columns(self, width: int) -> list[Sequence[Supervised]]:
        half = (len(self._servers) + 1) // 2
        return [self._servers] if width < 2 * _WIDTH else [self._servers[:half], self._servers[half:]]

    def _cells(self, server: Supervised) -> list[Text]:
        state = Text(server.state.value, style=_COLOURS[server.state])
        return [Text(server.name), Text(server.role, style="dim"), Text(str(server.pid)), state, Text(self._done(server))]

    def _done(self, server: Supervised) -> str:
        return f"{self._deeds.done[server.name]} {server.does}" if server.does else ""


class ClusterView:
    """A question's table with the processes above it (`esclusa.cli.table.View`)."""

    def __init__(self, panel: Panel, deeds: Deeds, request: str, table: AnswerTable) -> None:
        self._panel = panel
        self._deeds = deeds
        self._request = request
        self._table = table
        self._events: list[str] = []

    def tell(self, event: str) -> None:
        """Something happened."""
        self._events.append(event)

    def update(self, snapshot: SnapshotBody) -> list[AnswerBody]:
        """Take in what is known now; the answers that were not known before."""
        return self._table.update(snapshot)

    def lost(self, away: Away) -> str | None:
        """The service does not answer."""
        return self._table.lost(away)

    def live(self, now: float, width: int, height: int) -> RenderableType:
        """Everything, within `width` and `height`."""
        above = self._above(self._events[-EVENTS:])
        left = height - self._panel.height(width) - len(above)
        return Group(self._panel.drawn(width), *above, self._table.live(now, width, left))

    def final(self, width: int) -> RenderableType:
        """Everything, to stay."""
        return Group(self._panel.drawn(width), *self._above(self._events), self._table.final(width))

    def verdict(self) -> list[str]:
        """How it ended, in plain lines, and who did what."""
        verdict = self._table.verdict()
        return [*verdict, self._served(), *self._panel.lines()] if verdict else []

    def line(self, answer: AnswerBody) -> str:
        """An answer as a plain line."""
        return self._table.line(answer)

    def _above(self, events: Sequence[str]) -> list[Text]:
        told = [Text(event, style="yellow", no_wrap=True, overflow="ellipsis") for event in events]
        return [*told, Text(self._served(), style="dim", no_wrap=True, overflow="ellipsis")]

    def _served(self) -> str:
        hub = self._deeds.looked(self._request)
        return "nobody has looked yet" if hub is None else f"{hub} served the last look"


def doers(deeds: Deeds, request: str, names: Sequence[str]) -> Aside:
    """Who called, and who recorded: `connectors-1 > collector-2`. `names`: of all processes."""

    def of(connector: str) -> str:
        called, recorded = deeds.called(request, connector), deeds.recorded(request, connector)
        return " > ".join(filter(None, [", ".join(called), recorded])) if called or recorded else ""

    return Aside("Called > recorded", 2 * max(map(len, names)) + len(" > "), of)
