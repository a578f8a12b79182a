"""A request on its way through one pool: handed to its connectors, its answers packed and appended.

Answers of one request that are at hand within 8 ms share a message: the message, not the answer, is what costs.
An answer counts as given once the log has acknowledged it; an append that fails is repeated until the request expires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from esclusa.connectors.answer import Answer, Ticket
from esclusa.connectors.backend import TOO_LARGE, Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.hub import pack
from esclusa.hub.resend import Resend
from esclusa.hub.stored import VERSION, AnswerHead, Answers, Envelope, UserQuestion, encode
from esclusa.kernel.instrument import masked

if TYPE_CHECKING:
    import asyncio

    from esclusa.hub.request_partition import RequestPartition
    from esclusa.hub.room import Room
    from esclusa.hub.vault import Sealer
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Log, Topic

PACK = 0.008
"""Seconds that an answer waits for others of its request; the last one waits for nobody."""
PACK_BYTES = 256 * 1024
"""Bytes of answers that are appended without waiting; whoever reads one of them reads the pack."""
UNSENT_BYTES = 32 * 1024 * 1024
"""Bytes of answers that the log has not taken, in a process; beyond, no call is begun."""
PACK_ANSWERS = 512
"""Answers that are appended without waiting."""
CONNECTOR_BYTES = 768
"""What a question in a line costs, roughly, beside the envelope that it shares."""


class Allowance:
    """Bytes of data that the answers to one request may still have in this process."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class InFlight:
    """One request in this process. Made by `Dispatcher.begin`; over when `landed` is called."""

    __slots__ = (
        "allowance",
        "data",
        "envelope",
        "landed",
        "left",
        "names",
        "ready",
        "sealer",
        "stands_for",
        "tickets",
        "timer",
        "waiting_bytes",
    )

    def __init__(
        self,
        envelope: Envelope,
        stands_for: tuple[RequestPartition, int],
        sealer: Sealer,
        names: Iterable[str],
        landed: Callable[[InFlight], None],
        allowance: Allowance,
    ) -> None:
        self.envelope = envelope
        self.sealer = sealer
        self.tickets: dict[str, Ticket | None] = dict.fromkeys(names)
        """By connector that has not answered yet."""
        self.names = set(self.tickets)
        """Connectors that have been asked by it, and not recalled."""
        self.left = len(self.tickets)
        """Connectors whose answer the log has not acknowledged."""
        self.ready: list[AnswerHead] = []
        """Of answers that wait for company."""
        self.data: list[bytes] = []
        """The data of those, as far as they have any."""
        self.waiting_bytes = 0
        self.timer: asyncio.TimerHandle | None = None
        self.landed = landed
        self.stands_for = [stands_for]
        """The messages, as partition and offset, that are not done with before this is."""
        self.allowance = allowance
        """Shared by all flights of the request."""


class Dispatcher:
    """Hands the requests of one pool to its connectors and their answers to the log."""

    def __init__(
        self,
        answers: Topic,
        connectors: Mapping[str, Connector],
        log: Log,
        room: Room,
        unsent: Room,
        clock: Clock,
        instrument: Instrument,
    ) -> None:
        """`room`: what the process may hold; `unsent`: how much of that may be answers that the log has not taken.

        All that call the same connectors share `unsent`: else one would let go of those that another holds.
        """
        self._topic = answers
        self._connectors = connectors
        self._log = log
        self._room = room
        self._clock = clock
        self._instrument = instrument
        self._resend = Resend(f"answers not taken by the log, again: {answers.name}", clock, instrument)
        self._held: dict[Connector, None] = {}
        """Connectors that begin no call until the log takes answers again; some may have been removed since."""
        self._unsent = unsent
        unsent.add_listener(self._hold)
        self._counter = instrument.counter(
            "esclusa_hub_answers_total", "Answers by connector and reason (ok when there is none)", "connector", "reason"
        )
        self.in_flight: dict[bytes, list[InFlight]] = {}
        """By request: more than one where a repeated or taken-over envelope came while the first was in the air."""

    def begin(
        self,
        envelope: Envelope,
        message: tuple[RequestPartition, int],
        user_question: UserQuestion,
        sealer: Sealer,
        names: Iterable[str],
        landed: Callable[[InFlight], None],
        spent: int = 0,
    ) -> None:
        """Hand the user's question to the connectors `names`; `landed(flight)` once every answer of theirs is acknowledged.

        `spent`: bytes that answers found in the log have. They count as this process's own do: what another process that
        still holds the request is about to append can't be known, and may come on top.
        """
        allowance = next((sibling.allowance for sibling in self.in_flight.get(envelope.id, ())), None) or Allowance(
            envelope.allowance
        )
        allowance.left = min(allowance.left, envelope.allowance - spent)
        flight = InFlight(envelope, message, sealer, names, landed, allowance)
        self._room.take(len(envelope.sealed) + CONNECTOR_BYTES * flight.left)
        self.in_flight.setdefault(envelope.id, []).append(flight)
        question = Question(str(UUID(bytes=envelope.id)), user_question.query, user_question.subject, user_question.params)
        call_by = envelope.times.call_by / 1000
        for name in list(flight.tickets):
            connector = self._connectors.get(name)
            if connector is None:
                self._instrument.warn("connector not served here", request=question.request, connector=name)
                self._answered(flight, name, Answer.refused(Reason.REJECTED, "Not served here", self._clock.now()))
                continue
            if self._unsent.full:
                self._held[connector] = None  # it may have come after the others were told
                connector.hold(held=True)
            ticket = connector.offer(question, call_by, partial(self._answered, flight, name))
            if name in flight.tickets:
                flight.tickets[name] = ticket
        self._instrument.debug(
            "request handed out", request=question.request, subject=masked(question.subject), connectors=flight.left
        )

    def recall(self, flight: InFlight, *, cut: bool) -> list[str]:
        """Take `flight` out of the lines, and with `cut` out of the air as well; the connectors that will not answer."""
        recalled = []
        for name, ticket in list(flight.tickets.items()):
            if ticket is not None and (cut or ticket.waiting):
                ticket.drop()
                del flight.tickets[name]
                recalled.append(name)
        flight.names.difference_update(recalled)
        self._acknowledged(flight, len(recalled))
        return recalled

    def _answered(self, flight: InFlight, name: str, answer: Answer) -> None:
        del flight.tickets[name]
        reason, detail, data = answer.reason, answer.detail, answer.data or b""
        if len(data) > flight.allowance.left:
            reason, detail, data = Reason.BACKEND_ERROR, TOO_LARGE, b""
        flight.allowance.left -= len(data)
        self._counter.add(name, "ok" if reason is None else reason.value)
        flight.ready.append(AnswerHead(name, reason, detail, answer.attempts, answer.elapsed, len(data)))
        if data:
            flight.data.append(data)
            flight.waiting_bytes += len(data)
            self._room.take(len(data))
            self._unsent.take(len(data))
        if not flight.tickets or flight.waiting_bytes >= PACK_BYTES or len(flight.ready) >= PACK_ANSWERS:
            self._append(flight)
        elif flight.timer is None:
            flight.timer = self._clock.call_at(self._clock.now() + PACK, self._append, flight)

    def _append(self, flight: InFlight) -> None:
        if flight.timer is not None:
            flight.timer.cancel()
            flight.timer = None
        heads, flight.ready = flight.ready, []
        data, flight.data = flight.data, []
        size, flight.waiting_bytes = flight.waiting_bytes, 0
        if heads:
            envelope = flight.envelope
            sealed = flight.sealer.seal(b"".join(data), pack.context(envelope.id, heads)) if data else b""
            value = encode(Answers(VERSION, envelope.id, envelope.times.expires, heads, sealed))
            self._try_append(flight, value, len(heads), size)

    def _try_append(self, flight: InFlight, value: bytes, count: int, size: int) -> None:
        appended = self._log.append(self._topic, flight.envelope.id, value)
        appended.add_done_callback(partial(self._appended, flight, value, count, size))

    def _appended(self, flight: InFlight, value: bytes, count: int, size: int, future: asyncio.Future[int]) -> None:
        error = "cancelled" if future.cancelled() else future.exception()
        if error is None:
            self._resend.succeeded()
        elif self._clock.millis() < flight.envelope.times.expires:
            self._resend.later(partial(self._try_append, flight, value, count, size), str(error))
            return
        else:
            self._instrument.error("answers lost: the log took them at no time", topic=self._topic.name, answers=count)
        self._room.give_back(size)
        self._unsent.give_back(size)
        self._acknowledged(flight, count)

    def close(self) -> None:
        """Cut what is in the air and append nothing more; what is unfinished is the next owner's."""
        self._resend.close()
        for flights in list(self.in_flight.values()):
            for flight in list(flights):
                self.recall(flight, cut=True)

    def _acknowledged(self, flight: InFlight, count: int) -> None:
        if not count:
            return
        flight.left -= count
        self._room.give_back(CONNECTOR_BYTES * count)
        if not flight.left:
            siblings = self.in_flight[flight.envelope.id]
            siblings.remove(flight)
            if not siblings:
                del self.in_flight[flight.envelope.id]
            self._room.give_back(len(flight.envelope.sealed))
            flight.landed(flight)

    def _hold(self, held: bool) -> None:
        """What the log does not take is no reason to fetch more of it."""
        connectors = dict.fromkeys([*self._held, *self._connectors.values()])
        self._held = connectors if held else {}
        for connector in connectors:
            connector.hold(held=held)
