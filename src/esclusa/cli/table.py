"""One request, body by body, as its answers come: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from esclusa.cli.moments import instant
from esclusa.cli.output import harmless
from esclusa.cli.summary import one_line
from esclusa.edges.http.wire import AnswerBody, SnapshotBody
from esclusa.kernel.clock import Clock

FRAME = 0.2
"""Seconds between two drawings: the bar moves even while nobody answers."""
_AROUND = 6
"""Lines of the live table that are not rows."""


class AnswerTable:
    """What is known of one request. Fed with snapshots of the API, it says what is new and draws what there is."""

    def __init__(self, title: str, titles: Mapping[str, str], began: float) -> None:
        """`title`: of the question; `titles`: of connectors, by name, for who has not answered; `began`: by the clock."""
        self._title = title
        self._titles = titles
        self._began = began
        self._order: dict[str, None] = {}
        self._answers: dict[str, AnswerBody] = {}  # in the order in which they came
        self._lines: dict[str, str] = {}
        self._snapshot: SnapshotBody | None = None

    def update(self, snapshot: SnapshotBody) -> list[AnswerBody]:
        """Take in what is known now; the answers that were not known before."""
        self._snapshot = snapshot
        new = [answer for answer in snapshot.answers if answer.connector not in self._answers]
        for answer in new:
            self._answers[answer.connector] = answer
            self._lines[answer.connector] = _said(answer)
        self._order |= dict.fromkeys([*(answer.connector for answer in snapshot.answers), *snapshot.pending])
        return new

    def live(self, now: float, height: int) -> RenderableType:
        """The table and a bar to the deadline, within `height` lines; `now` by the clock that said when it began."""
        rows = self._fitting(max(1, height - _AROUND))
        table = self._table(rows)
        if len(rows) < len(self._order):
            table.add_row(Text(f"... and {len(self._order) - len(rows)} more", style="dim"))
        return Group(table, self._bar(now))

    def final(self) -> RenderableType:
        """The whole table, and whether it is complete or who is missing and why."""
        return Group(self._table(list(self._order)), *(Text(line) for line in self.verdict()))

    def verdict(self) -> list[str]:
        """`complete`, or who is missing and why, a line each."""
        if self._snapshot is None:
            return []
        missing = [self._answers[name] for name in self._order if name in self._answers and self._answers[name].state == "ko"]
        all_of_them = f"{len(self._order)} {'body' if len(self._order) == 1 else 'bodies'}"
        if not self._order:
            return ["complete: the question concerns nobody"]
        if self._snapshot.complete:
            return [f"complete: {all_of_them} in {self._took():.1f} s"]
        lines = [f"incomplete: {len(self._order) - len(missing)} of {all_of_them} in {self._took():.1f} s; without"]
        return [*lines, *(f"  {self._named(answer)}" for answer in missing)]

    def line(self, answer: AnswerBody) -> str:
        """An answer as a plain line."""
        return f"{_STATES[answer.state]:<3}{_seconds(answer):>8}  {self._named(answer)}"

    def _named(self, answer: AnswerBody) -> str:
        """Who and what: `Catastro: circuit_open, It is left alone for a while`."""
        return ": ".join(
            [harmless(answer.title), ", ".join(filter(None, [answer.reason or "", self._lines[answer.connector]]))]
        )

    def _fitting(self, limit: int) -> list[str]:
        """The rows to show when not all can be: the answers that came last, then those who are awaited."""
        if len(self._order) <= limit:
            return list(self._order)
        waiting = [name for name in self._order if name not in self._answers]
        chosen = {*[*reversed(self._answers), *waiting][: limit - 1]}
        return [name for name in self._order if name in chosen]

    def _table(self, names: list[str]) -> Table:
        table = Table(
            box=SIMPLE_HEAD, title=harmless(self._title), title_justify="left", title_style="bold", expand=True, pad_edge=False
        )
        table.add_column("Body", no_wrap=True, max_width=46, ratio=4)
        table.add_column("State", no_wrap=True, width=7)
        table.add_column("Reason", no_wrap=True, width=16)
        table.add_column("Tries", justify="right", width=5)
        table.add_column("Time", justify="right", no_wrap=True, width=8)
        table.add_column("Answer", no_wrap=True, ratio=5)
        for name in names:
            table.add_row(*self._cells(name))
        return table

    def _cells(self, name: str) -> list[Text]:
        answer = self._answers.get(name)
        if answer is None:
            return [Text(harmless(self._titles.get(name, name)), style="dim"), Text("waiting", style="dim")]
        colour = "green" if answer.state == "ok" else "red"
        return [
            Text(harmless(answer.title)),
            Text(_STATES[answer.state], style=colour),
            Text(answer.reason or "", style=colour),
            Text(str(answer.attempts)),
            Text(_seconds(answer)),
            Text(self._lines[name], style="" if answer.state == "ok" else "dim"),
        ]

    def _bar(self, now: float) -> RenderableType:
        if self._snapshot is None:
            return Text("asking", style="dim")
        ttl = instant(self._snapshot.deadline) - instant(self._snapshot.created_at)
        elapsed = min(max(now - self._began, 0.0), ttl)
        grid = Table.grid(padding=(0, 1))
        answered = f"{len(self._answers)} of {len(self._order)} answered"
        grid.add_row(
            ProgressBar(total=ttl, completed=elapsed, width=40, complete_style="cyan", finished_style="cyan"),
            Text(f"{elapsed:.1f} of {ttl:.0f} s, {answered}"),
        )
        return grid

    def _took(self) -> float:
        """Seconds from the question to the last answer, or to the deadline if somebody gave none."""
        snapshot = self._snapshot
        if snapshot is None:
            return 0.0
        received = [answer.received_at for answer in self._answers.values()]
        ends = [instant(snapshot.deadline if moment is None else moment) for moment in received]
        return max(ends, default=0.0) - instant(snapshot.created_at)


_STATES: Mapping[str, str] = {"ok": "ok", "ko": "KO"}


def _said(answer: AnswerBody) -> str:
    """What a body said in one line: some of its data, or what went wrong."""
    if answer.state == "ok":
        return one_line(answer.data) if answer.data else "nothing about this person"
    return harmless(answer.detail or "")


def _seconds(answer: AnswerBody) -> str:
    return "-" if answer.elapsed_ms is None else f"{answer.elapsed_ms / 1000:.2f} s"


async def watch(snapshots: AsyncIterator[SnapshotBody], table: AnswerTable, console: Console, clock: Clock) -> SnapshotBody:
    """Show `snapshots` on `console` until the last; returns it.

    On a terminal the table is drawn anew five times a second, and once more, whole, at the end. Elsewhere each answer is a
    line when it comes.
    """
    last: SnapshotBody | None = None
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            drawing = asyncio.ensure_future(_draw(live, table, console, clock))
            try:
                async for last in snapshots:
                    table.update(last)
            finally:
                drawing.cancel()
                await asyncio.gather(drawing, return_exceptions=True)
        console.print(table.final())
    else:
        async for last in snapshots:
            for answer in table.update(last):
                console.print(table.line(answer), soft_wrap=True)
        for line in table.verdict():
            console.print(line, soft_wrap=True)
    if last is None:
        raise ValueError("there was nothing to watch")
    return last


async def _draw(live: Live, table: AnswerTable, console: Console, clock: Clock) -> None:
    while True:
        live.update(table.live(clock.now(), console.height), refresh=True)
        await clock.sleep(FRAME)
