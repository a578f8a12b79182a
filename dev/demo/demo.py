"""`python -m dev.demo`: the demo country asked by a cluster on this machine, any process of which may be killed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import chain, count, cycle

from dev.demo.cluster import DemoCluster, demand, demo_cluster
from dev.demo.deeds import Deeds
from dev.demo.screen import ClusterView, Panel, doers
from dev.demo.steps import Steps
from esclusa.cli.client import Absent, Away, Client, Service, connected
from esclusa.cli.demo import interruptible, introduce, say_where, somebody
from esclusa.cli.exits import Exit
from esclusa.cli.moments import instant
from esclusa.cli.output import Failed, complain, reported, say, tell, words
from esclusa.cli.table import AnswerTable, watch
from esclusa.demo.crowd import Crowd
from esclusa.demo.demo import citizens_question
from esclusa.demo.folder import temporary_folder
from esclusa.demo.lives import CITIZENS
from esclusa.edges.http.wire import ReceiptBody, SnapshotBody, SubmissionBody
from esclusa.kernel.clock import Clock

PATIENCE = 30.0
"""Seconds for which a question that nobody takes is put again and again."""
AGAIN = 1.0
"""Seconds after which it is put again."""


def run(subject: str | None, rounds: int | None) -> int:
    """Ask about `subject`, then about others, `rounds` times (None: whenever Enter is pressed); the exit code.

    Raises `Missing`, `NotReady` when the cluster can't be started.
    """
    return reported(lambda: asyncio.run(_run(somebody(subject or CITIZENS[0].nif), rounds)), json=False)


async def _run(subject: str, rounds: int | None) -> Exit:
    demand()
    clock = Clock()
    screen = Screen(clock)
    with interruptible(), temporary_folder() as folder:
        try:
            async with AsyncExitStack() as stack:
                tell("A cluster starts on this machine. The first time, JARs are fetched for a minute or two.")
                sys.stdout.flush()
                steps = Steps(words())
                async with steps.shown():
                    running = await stack.enter_async_context(demo_cluster(folder, steps, screen.tell))
                    client = await stack.enter_async_context(connected(Service(running.url, key=running.key), clock))
                    crowd = Crowd(client, clock)
                    await steps.do("other people, who ask too", crowd.assemble())
                await stack.enter_async_context(crowd.going_on())
                return await screen.ask(running, client, subject, rounds)
        except asyncio.CancelledError:
            return Exit.DONE if screen.answered else Exit.INTERRUPTED


class Screen:
    """Asks, and shows what happens."""

    def __init__(self, clock: Clock) -> None:
        self.answered = 0
        """Questions that have their final result."""
        self._clock = clock
        self._console = words()
        self._draws = self._console.is_terminal and not self._console.is_dumb_terminal
        self._view: ClusterView | None = None

    def tell(self, event: str) -> None:
        """Something has happened to a process: it is said at once, or above the table where one is drawn."""
        if self._view is not None and self._draws:
            self._view.tell(event)
        else:
            tell(event)
            sys.stdout.flush()

    async def ask(self, running: DemoCluster, client: Client, subject: str, rounds: int | None) -> Exit:
        """Ask `rounds` times; or as often as Enter is pressed, and never end. `Failed` when the last one has no result."""
        titles = {each.name: each.title for each in (await client.connectors()).connectors}
        panel = Panel(running.servers, running.deeds)
        others = cycle(citizen.nif for citizen in CITIZENS if citizen.nif != subject)
        for number, who in zip(count(1), chain([subject], others), strict=False):
            try:
                await self._round(running, panel, client, who, titles)
                self.answered += 1
            except Failed as failed:
                if number == rounds:
                    raise
                complain(str(failed))
            if number == rounds:
                break
            if rounds is None:
                if number == 1:
                    say_where(running.url, running.key)
                self._invite(panel)
                await _enter()
        return Exit.DONE

    def _invite(self, panel: Panel) -> None:
        """What can be done now."""
        say()
        if self._draws:
            self._console.print(panel.drawn(self._console.width))
            say()
        tell("Kill any of them by its pid: it is started again, and meanwhile the others do its work. Enter asks again.")
        sys.stdout.flush()

    async def _round(self, running: DemoCluster, panel: Panel, client: Client, subject: str, titles: dict[str, str]) -> None:
        introduce(subject)
        if not self._draws:
            say("\n".join(panel.lines()))
            sys.stdout.flush()
        receipt = await self._put(client, citizens_question(subject, self._clock.now()))
        aside = doers(running.deeds, str(receipt.id), [each.name for each in running.servers])
        table = AnswerTable(running.title, titles, instant(receipt.created_at), aside)
        view = self._view = ClusterView(panel, running.deeds, str(receipt.id), table)
        try:
            await watch(_with_doers(client, receipt, running.deeds), view, self._console, self._clock)
        finally:
            self._view = None

    async def _put(self, client: Client, question: SubmissionBody) -> ReceiptBody:
        """Ask, and ask again while nobody takes it: whoever does has perhaps just been killed."""
        until, told = self._clock.now() + PATIENCE, False
        while True:
            try:
                return await client.submit(question)
            except Failed as failed:
                if self._clock.now() > until:
                    raise
                if not told:
                    tell(f"{failed}; asking again")
                told = True
            await self._clock.sleep(AGAIN)


async def _with_doers(client: Client, receipt: ReceiptBody, deeds: Deeds) -> AsyncIterator[SnapshotBody | Away]:
    """The news of a request, each answer once it is known who has called and recorded, or can't be known."""
    known: set[str] = set()
    async for each in _patiently(client, receipt):
        if isinstance(each, SnapshotBody):
            new = {answer.connector for answer in each.answers if answer.received_at is not None} - known
            await deeds.known(str(receipt.id), new)
            known |= new
        yield each


async def _patiently(client: Client, receipt: ReceiptBody) -> AsyncIterator[SnapshotBody | Away]:
    """The news of a request, even if its deadline has passed while nobody could read it: results outlive that by minutes."""
    try:
        async for each in client.news(receipt):
            yield each
    except Absent:
        async for each in client.news(receipt):
            yield each


async def _enter() -> None:
    """Return when Enter is pressed. Where there is nobody to press it, never."""
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()
    ended = False

    def read() -> None:
        nonlocal ended
        ended = not os.read(descriptor, 4096)
        if ended:
            loop.remove_reader(descriptor)
        else:
            pressed.set()

    descriptor = sys.stdin.fileno()
    try:
        loop.add_reader(descriptor, read)
    except PermissionError:  # a file: there is nobody
        ended = True
    try:
        await pressed.wait()
    finally:
        if not ended:
            loop.remove_reader(descriptor)
