"""Reading a request: now, once there is more, or as it comes (H2, H7, H8).

No reader holds state: any instance serves any look at any request, from its rows alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Collection, Sequence
from math import inf
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from esclusa.hub.cursor import event_id, parse_event_id
from esclusa.hub.final import View, finalise, read_view
from esclusa.hub.pack import first_packs
from esclusa.hub.snapshot import Answer, Snapshot, compose, tag_of
from esclusa.hub.stored import UserQuestion, decode
from esclusa.kernel.errors import NotFound, StorageError, Unavailable, Unreadable

if TYPE_CHECKING:
    from esclusa.hub.inventory import Inventory
    from esclusa.hub.vault import Vault
    from esclusa.hub.wakeups import Waiter, Wakeups
    from esclusa.kernel.clock import Clock
    from esclusa.ports.records import Records


PART = 256 * 1024
"""Bytes of data that a stream holds while its reader takes them; or one pack, when that is larger."""


class Look(msgspec.Struct, frozen=True):
    """One look at a request, by the rules of `final`."""

    view: View
    counted: Collection[str] | None
    """Connectors whose answers count, when final."""
    question: UserQuestion

    @property
    def final(self) -> bool:
        """What is shown now is shown for ever."""
        return self.counted is not None

    @property
    def answered(self) -> Collection[str]:
        """Connectors whose answers are shown."""
        return self.view.answers.keys() if self.counted is None else self.view.answers.keys() & self.counted

    @property
    def tag(self) -> str:
        """As in the snapshot."""
        return tag_of(self.view.request.connectors, self.answered, final=self.final)


class Results:
    """Looks at requests on behalf of their callers."""

    def __init__(self, inventory: Inventory, records: Records, vault: Vault, wakeups: Wakeups, clock: Clock) -> None:
        self._inventory = inventory
        self._records = records
        self._vault = vault
        self._wakeups = wakeups
        self._clock = clock

    async def snapshot(self, id: UUID, caller: str, *, data: bool) -> Snapshot:
        """What is known now. Raises `NotFound`, `Unavailable`."""
        return await self._shown(id, await self.look(id.bytes, caller, bodies=data))

    async def wait(self, id: UUID, caller: str, *, seconds: float, tag: str | None, data: bool) -> Snapshot:
        """As `snapshot`, once the tag differs from `tag` (or from that at arrival), or after `seconds`."""
        until = self._clock.now() + seconds
        with self._wakeups.waiter(id.bytes) as waiter:
            while True:
                draining = self._wakeups.draining  # before the look: who is let go has seen all that was there by then
                look = await self.look(id.bytes, caller, bodies=False)
                tag = tag or look.tag
                over = draining or self._clock.now() >= until
                if look.final or look.tag != tag or over:
                    return await self.snapshot(id, caller, data=True) if data else await self._shown(id, look)
                await self._more(waiter, look, until)

    async def follow(self, id: UUID, caller: str, *, after: str | None) -> AsyncGenerator[tuple[str, Answer | Snapshot], None]:
        """Each answer not in `after`, as they come, with the event id to go on from; at last the final snapshot."""
        sent: set[str] = set()
        with self._wakeups.waiter(id.bytes) as waiter:
            while True:
                draining = self._wakeups.draining
                look = await self.look(id.bytes, caller, bodies=False)
                order = look.view.request.connectors
                if after is not None:
                    sent, over = parse_event_id(after, order)
                    after = None
                    if over:
                        return
                fresh = [name for name in order if name not in sent and (look.final or name in look.answered)]
                while fresh:
                    part = await self._part(id, caller, look, fresh)
                    while part:  # whoever reads may be slow: nothing that has been handed over is held
                        sent.add(part[0].connector)
                        yield event_id(order, sent, final=False), part.popleft()
                    fresh = [name for name in fresh if name not in sent]
                if look.final:
                    yield event_id(order, sent, final=True), await self._shown(id, look)
                    return
                if draining:
                    return
                await self._more(waiter, look)

    async def look(self, id: bytes, caller: str, *, bodies: bool | Collection[str]) -> Look:
        """A request's rows with what may be shown of them. Raises `NotFound`, `Unavailable`.

        Unknown, expired, cancelled and somebody else's are the same (H31).
        """
        try:
            view = await read_view(self._records, id, bodies)
            if self._clock.millis() >= view.request.times.expires:
                raise NotFound
            question = decode(UserQuestion, await self._vault.open(view.request.sealed, id))
            if question.caller != caller:
                raise NotFound
            view, counted = await finalise(self._records, self._clock, id, view, bodies)
        except Unreadable:
            raise NotFound from None  # its key has died: it has expired
        except StorageError as error:
            raise Unavailable("Results can't be read right now", retry_after=1) from error
        return Look(view, counted, question)

    async def _part(self, id: UUID, caller: str, look: Look, names: Sequence[str]) -> deque[Answer]:
        """The answers that `look` has found of some of `names`, at least one: of those whose data are within `PART`."""
        answers = look.view.answers
        packs = first_packs((answers[name] for name in names if name in answers), PART)
        wanted = {
            name for name in names if name not in answers or not answers[name].head.size or answers[name].pack.name in packs
        }
        shown = await self._shown(id, await self.look(id.bytes, caller, bodies=packs) if packs else look)
        return deque(answer for answer in shown.answers if answer.connector in wanted)

    @staticmethod
    async def _more(waiter: Waiter, look: Look, until: float = inf) -> None:
        """Wait for more than `look` has shown, at most until `until`."""
        request = look.view.request
        await waiter.wait(min(until, request.times.deadline / 1000), len(request.connectors) - len(look.answered))

    async def _shown(self, id: UUID, look: Look) -> Snapshot:
        """With the data of those whose bodies have been read."""
        request = look.view.request
        answers = {name: look.view.answers[name] for name in look.answered}
        packs = {answer.pack.name: answer.pack for answer in answers.values() if answer.pack.body}
        try:
            plain = await self._vault.open_all([(pack.body, pack.context) for pack in packs.values()])
        except Unreadable:
            raise NotFound from None
        except StorageError as error:
            raise Unavailable("Results can't be read right now", retry_after=1) from error
        opened = dict(zip(packs, plain, strict=True))
        return compose(
            id,
            look.question.query,
            request.times,
            request.connectors,
            answers,
            final=look.final,
            titles=self._inventory.titles,
            retry_after=self._inventory.retry_after(look.question.query),
            data={name: data for name, answer in answers.items() if (data := answer.data(opened)) is not None},
        )
