"""The connector under any order of events: offers, answers, failures, drops and the passing of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from esclusa.connectors.answer import Answer, Ticket
from esclusa.connectors.backend import Outcome, Question, Reason
from esclusa.connectors.connector import GRACE, Connector
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import BreakerSettings, RetrySettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.testing.backends import ERROR, OK, Attempt, ScriptedBackend, raises, waits
from esclusa.testing.virtual import EPOCH, VirtualLoop

T = TypeVar("T")
SLACK = 0.002
"""Seconds: what the grain of a loop's timers may add."""
OUTCOMES = [
    OK,
    ERROR,
    Outcome(reason=Reason.BACKEND_ERROR, detail="No"),
    Outcome(reason=Reason.BACKEND_ERROR, again=True, after=3),
]


class Offered:
    """One question of the run."""

    def __init__(self, name: str, call_by: float) -> None:
        self.name = name
        self.call_by = call_by
        self.ticket: Ticket | None = None
        self.answers: list[Answer] = []
        self.dropped = False


class ConnectorMachine(RuleBasedStateMachine):
    """Whatever happens: one answer each, in time, never too many calls, first come first called."""

    @initialize(
        concurrency=st.integers(1, 3),
        queue=st.integers(1, 4),
        failures=st.integers(1, 4),
        attempts=st.integers(1, 3),
        idempotent=st.booleans(),
    )
    def start(self, concurrency: int, queue: int, failures: int, attempts: int, idempotent: bool) -> None:
        self.loop = VirtualLoop()
        self.concurrency, self.queue = concurrency, queue
        self.offers: list[Offered] = []
        settings = RestSettings(
            url="http://dgt.example/",
            concurrency=concurrency,
            queue=queue,
            timeout=Duration(10),
            breaker=BreakerSettings(failures=failures, open_for=Duration(15)),
            retry=RetrySettings(attempts=attempts, first=Duration(1)),
        )

        def make() -> None:
            self.clock = Clock(epoch=EPOCH)
            self.backend = ScriptedBackend(self.clock, waits, idempotent=idempotent)
            self.connector = Connector("dgt", self.backend, settings, self.clock, Ids(self.clock, seed=1), Instrument())

        self.within(make)

    def within(self, work: Callable[[], T], seconds: float = 0.0) -> T:
        """Do `work` on the loop, and let `seconds` pass."""

        async def main() -> T:
            result = work()
            await asyncio.sleep(seconds)
            return result

        return self.loop.run_until_complete(main())

    @rule(patience=st.sampled_from([0.0, 2.0, 5.0, 12.0, 40.0]), reacts=st.booleans())
    def offer(self, patience: float, reacts: bool) -> None:
        offered = Offered(str(len(self.offers)), self.clock.now() + patience)
        self.offers.append(offered)

        def answered(answer: Answer) -> None:
            offered.answers.append(answer)
            if reacts and len(self.offers) < 200:
                self.put(Offered(offered.name + "+", self.clock.now() + patience), self.offers)

        self.within(lambda: self.hand(offered, answered))

    def put(self, offered: Offered, among: list[Offered]) -> None:
        among.append(offered)
        self.hand(offered, offered.answers.append)

    def hand(self, offered: Offered, answered: Callable[[Answer], None]) -> None:
        offered.ticket = self.connector.offer(Question(offered.name, "q", "s", {}), offered.call_by, answered)

    @precondition(lambda self: self.backend.open)
    @rule(place=st.integers(0, 10), outcome=st.sampled_from(OUTCOMES))
    def answer(self, place: int, outcome: Outcome) -> None:
        attempt: Attempt = self.backend.open[place % len(self.backend.open)]
        self.within(lambda: attempt.answer(outcome))

    @rule()
    def raise_next(self) -> None:
        self.backend.then(raises)

    @precondition(lambda self: self.offers)
    @rule(place=st.integers(0, 200))
    def drop(self, place: int) -> None:
        offered = self.offers[place % len(self.offers)]
        if offered.ticket is not None and not offered.answers:
            offered.dropped = True
            self.within(offered.ticket.drop)

    @rule(seconds=st.sampled_from([0.5, 2.0, 10.0, 15.0]))
    def wait(self, seconds: float) -> None:
        self.within(lambda: None, seconds)

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "loop"):
            return
        now = self.within(self.clock.now)
        assert len(self.backend.open) <= self.connector.running <= self.concurrency
        assert self.connector.waiting <= self.queue
        waiting = sum(offered.ticket is not None and offered.ticket.waiting for offered in self.offers)
        assert waiting == self.connector.waiting
        timed = sum(len(bucket) for bucket in self.connector._wheel._buckets.values())
        assert timed == self.connector.waiting + self.connector.running, "each has one moment, and nobody else"
        assert not self.connector.waiting or self.connector.running == self.concurrency, "nobody waits beside a free slot"
        assert not self.connector.waiting or self.connector.breaker_state == "closed"
        for offered in self.offers:
            assert len(offered.answers) <= (not offered.dropped)
            assert offered.answers or offered.dropped or now <= offered.call_by + GRACE + SLACK
        call_bys = {offered.name: offered.call_by for offered in self.offers}
        for attempt in self.backend.attempts:
            assert attempt.at < call_bys[attempt.question.request], "nothing is called after callBy"
            assert attempt.by <= call_bys[attempt.question.request], "and nothing may last past it"
        firsts = list(dict.fromkeys(attempt.question.request for attempt in self.backend.attempts))
        names = [offered.name for offered in self.offers]
        assert firsts == sorted(firsts, key=names.index), "first come, first called"

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.run_until_complete(asyncio.sleep(100))
            for offered in self.offers:
                assert len(offered.answers) == (not offered.dropped), "every question is answered exactly once"
            assert (self.connector.running, self.connector.waiting) == (0, 0)
            assert not self.connector._wheel._buckets, "nothing is left behind"
            self.loop.run_until_complete(self.connector.close())
            self.loop.close()


TestConnectorMachine = ConnectorMachine.TestCase
TestConnectorMachine.settings = hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None)
