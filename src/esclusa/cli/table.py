"""One request, body by body, as its answers come: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from esclusa.cli.client import Away
from esclusa.cli.moments import instant, time_of_day
from esclusa.cli.output import NARROW, harmless, ruled
from esclusa.cli.summary import NOTHING, one_line
from esclusa.edges.http.wire import AnswerBody, SnapshotBody
from esclusa.kernel.clock import Clock

FRAME = 0.2
"""Seconds between two drawings: the bar moves even while nobody answers."""
_AROUND = 7
"""Lines of the terminal that are not rows: title, heads, bar, the empty ones, and the cursor's."""
_AROUND_NARROW = 5
"""The same where nothing is empty."""
_BAR = 40
"""Columns of the bar, where there are as many."""
_BESIDE_BAR = 36
"""Columns of what stands beside it."""


class Aside(msgspec.Struct, frozen=True):
    """What there is to say of each answer beside what the API tells."""

    head: str
    width: int
    """Columns of the longest."""
    of: Callable[[str], str]
    """Of a connector's answer; empty while nothing is known."""


class View(Protocol):
    """What is known of one request, for `watch` to show: an `AnswerTable`, or something around one."""

    def update(self, snapshot: SnapshotBody) -> list[AnswerBody]:
        """Take in what is known now; the answers that were not known before."""

    def lost(self, away: Away) -> str | None:
        """The service does not answer, until the next `update`; a line that says so, unless it was said."""

    def live(self, now: float, width: int, height: int) -> RenderableType:
        """What there is, within `width` and `height`; `now` by the clock."""

    def final(self, width: int) -> RenderableType:
        """The whole, to stay."""

    def verdict(self) -> list[str]:
        """How it ended, in plain lines; nothing before it has."""

    def line(self, answer: AnswerBody) -> str:
        """An answer as a plain line."""


class AnswerTable:
    """What is known of one request. Fed with snapshots of the API, it says what is new and draws what there is."""

    def __init__(self, title: str, titles: Mapping[str, str], began: float, aside: Aside | None = None) -> None:
        """`title`: of the question; `titles`: of connectors, by name, in the order of the rows; `began`: by the clock."""
        self._title = title
        self._aside = aside
        self._titles = titles
        self._began = began
        self._places = {name: place for place, name in enumerate(titles)}
        self._order: list[str] = []
        self._answers: dict[str, AnswerBody] = {}  # in the order in which they came
        self._lines: dict[str, str] = {}
        self._snapshot: SnapshotBody | None = None
        self._away: Away | None = None

    def update(self, snapshot: SnapshotBody) -> list[AnswerBody]:
        """Take in what is known now; the answers that were not known before."""
        self._snapshot = snapshot
        self._away = None
        new = [answer for answer in snapshot.answers if answer.connector not in self._answers]
        for answer in new:
            self._answers[answer.connector] = answer
            self._lines[answer.connector] = _said(answer)
        names = [*(answer.connector for answer in snapshot.answers), *snapshot.pending]
        self._order = sorted(names, key=lambda name: self._places.get(name, len(self._places)))
        return new

    def lost(self, away: Away) -> str | None:
        """The service does not answer, until the next `update`; a line that says so, unless it was said."""
        known, self._away = self._away, away
        return _absence(away) if known is None else None

    def live(self, now: float, width: int, height: int) -> RenderableType:
        """The table and a bar to the deadline, within `width` and `height`; `now` by the clock that said when it began."""
        below = [] if self._away is None else [_line(_absence(self._away), "yellow")]
        around = _AROUND_NARROW if width < NARROW else _AROUND
        rows = self._fitting(max(1, height - around - len(below)))
        if len(rows) < len(self._order):
            below.insert(0, _line(f"... and {len(self._order) - len(rows)} more", "dim"))
        return Group(self._heading(), self._table(rows, width), *below, self._bar(now, width))

    def final(self, width: int) -> RenderableType:
        """The whole table, and whether it is complete or who is missing and why, if that is known."""
        lines = (
            Padding(Text(line.lstrip()), (0, 0, 0, len(line) - len(line.lstrip())), expand=False) for line in self.verdict()
        )
        space = [Text()] if width < NARROW else []
        return Group(self._heading(), self._table(self._order, width), *space, *lines)

    def verdict(self) -> list[str]:
        """`complete`, or who is missing and why, a line each; nothing before the result is final."""
        if self._snapshot is None or self._snapshot.query_more:
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
        said = "" if self._aside is None else self._aside.of(answer.connector)
        return f"{_STATES[answer.state]:<3}{_seconds(answer):>8}  {self._named(answer)}" + (f"  [{said}]" if said else "")

    def _named(self, answer: AnswerBody) -> str:
        """Who and what: `Catastro: circuit_open, It is left alone for a while`."""
        return f"{harmless(answer.title)}: {self._told(answer)}"

    def _told(self, answer: AnswerBody) -> str:
        """Reason and detail, or some of the data: `circuit_open, It is left alone for a while`."""
        return ", ".join(filter(None, [answer.reason or "", self._lines[answer.connector]]))

    def _fitting(self, limit: int) -> list[str]:
        """The rows to show when not all can be: who is missing, who is awaited, then the answers that came last."""
        if len(self._order) <= limit:
            return self._order
        waiting = [name for name in self._order if name not in self._answers]
        came = list(reversed(self._answers))
        missing = [name for name in came if self._answers[name].state == "ko"]
        chosen = {*list(dict.fromkeys([*missing, *waiting, *came]))[: limit - 1]}
        return [name for name in self._order if name in chosen]

    def _heading(self) -> Text:
        return _line(harmless(self._title), "bold")

    def _table(self, names: list[str], width: int) -> Table:
        """On a narrow terminal the reason stands with the answer, and nothing says how often was tried.

        An aside makes any terminal narrower; on one that is narrow by itself, it takes the answer's place.
        """
        narrow = width - (0 if self._aside is None else self._aside.width) < NARROW
        told = self._aside is None or width >= NARROW
        table = ruled(width, expand=True)
        table.add_column("Body", no_wrap=True, max_width=46, ratio=4)
        table.add_column("State", no_wrap=True, width=7)
        if not narrow:
            table.add_column("Reason", no_wrap=True, width=16)
            table.add_column("Tries", justify="right", width=5)
        table.add_column("Time", justify="right", no_wrap=True, width=8)
        if told:
            table.add_column("Answer", no_wrap=True, ratio=3 if narrow else 4)
        if self._aside is not None:
            table.add_column(self._aside.head, no_wrap=True, width=self._aside.width)
        for name in names:
            table.add_row(*self._cells(name, narrow=narrow, told=told))
        return table

    def _cells(self, name: str, *, narrow: bool, told: bool) -> list[Text]:
        answer = self._answers.get(name)
        if answer is None:
            return [Text(harmless(self._titles.get(name, name)), style="dim"), Text("waiting", style="dim")]
        colour = "green" if answer.state == "ok" else "red"
        faint = "" if answer.state == "ok" else "dim"
        body, state, time = Text(harmless(answer.title)), Text(_STATES[answer.state], style=colour), Text(_seconds(answer))
        aside = [] if self._aside is None else [Text(self._aside.of(name), style="dim")]
        if narrow:
            return [body, state, time, *([Text(self._told(answer), style=faint)] if told else []), *aside]
        reason, tries = Text(answer.reason or "", style=colour), Text(str(answer.attempts))
        return [body, state, reason, tries, time, Text(self._lines[name], style=faint), *aside]

    def _bar(self, now: float, width: int) -> RenderableType:
        if self._snapshot is None:
            return Text("asking", style="dim")
        ttl = instant(self._snapshot.deadline) - instant(self._snapshot.created_at)
        elapsed = min(max(now - self._began, 0.0), ttl)
        told = _line(f"{elapsed:.1f} of {ttl:.0f} s, {len(self._answers)} of {len(self._order)} answered")
        room = min(_BAR, width - _BESIDE_BAR)
        if room < 1:
            return told
        grid = Table.grid(padding=(0, 1))
        grid.add_row(ProgressBar(total=ttl, completed=elapsed, width=room, complete_style="cyan", finished_style="cyan"), told)
        return grid

    def _took(self) -> float:
        """Seconds from the question to the last answer, or to the deadline if somebody gave none."""
        snapshot = self._snapshot
        if snapshot is None:
            return 0.0
        received = [answer.received_at for answer in self._answers.values()]
        ends = [instant(snapshot.deadline if moment is None else moment) for moment in received]
        return max(ends, default=0.0) - instant(snapshot.created_at)


def _line(text: str, style: str = "") -> Text:
    """One line, whatever the width."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


_STATES: Mapping[str, str] = {"ok": "ok", "ko": "KO"}


def _absence(away: Away) -> str:
    return f"the service is away; trying again until {time_of_day(away.until)}"


def _said(answer: AnswerBody) -> str:
    """What a body said in one line: some of its data, or what went wrong."""
    if answer.state == "ok":
        found = one_line(answer.data) if answer.data else NOTHING
        return f"{NOTHING} about this person" if found == NOTHING else found
    return harmless(answer.detail or "")


def _seconds(answer: AnswerBody) -> str:
    return "-" if answer.elapsed_ms is None else f"{answer.elapsed_ms / 1000:.2f} s"


async def watch(news: AsyncIterator[SnapshotBody | Away], table: View, console: Console, clock: Clock) -> SnapshotBody:
    """Show `news` on `console` until the last snapshot; returns it.

    On a terminal the table is drawn anew five times a second, and once more, whole, at the end, be that an error or an
    interruption: what was received stays. Elsewhere each answer is a line when it comes.
    """
    last: SnapshotBody | None = None
    if console.is_terminal and not console.is_dumb_terminal:
        try:
            with Live(console=console, auto_refresh=False, transient=True) as live:
                drawing = asyncio.ensure_future(_draw(live, table, console, clock))
                try:
                    async for each in news:
                        if isinstance(each, Away):
                            table.lost(each)
                        else:
                            table.update(last := each)
                finally:
                    drawing.cancel()
                    await asyncio.gather(drawing, return_exceptions=True)
        finally:
            if last is not None:
                console.print(table.final(console.width))
    else:
        async for each in news:
            for line in _new_lines(table, each):
                console.print(line, soft_wrap=True)
            last = last if isinstance(each, Away) else each
        for line in table.verdict():
            console.print(line, soft_wrap=True)
    if last is None:
        raise ValueError("there was nothing to watch")
    return last


def _new_lines(table: View, each: SnapshotBody | Away) -> list[str]:
    if isinstance(each, Away):
        line = table.lost(each)
        return [] if line is None else [line]
    return [table.line(answer) for answer in table.update(each)]


async def _draw(live: Live, table: View, console: Console, clock: Clock) -> None:
    while True:
        live.update(table.live(clock.now(), console.width, console.height), refresh=True)
        await clock.sleep(FRAME)
