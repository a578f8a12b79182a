"""Addresses are looked up beside the loop, once at a time, and kept for a moment."""

from __future__ import annotations

import asyncio
import socket
import threading
from ipaddress import ip_address

import pytest

from esclusa.connectors.transport import Address, HttpClient, HttpError, Origin
from esclusa.connectors.transport.resolver import Resolver, system_lookup
from unit.connectors.transport.calling import Outcomes, get, turns, until
from unit.connectors.transport.hand_clock import HandClock

HERE = ip_address("127.0.0.1")


class Names:
    """A name server whose answers wait for a word."""

    def __init__(self) -> None:
        self.lookups = 0
        self.go = threading.Event()
        self.found: list[Address] = [HERE]
        self.failure: Exception | None = None

    def __call__(self, host: str) -> list[Address]:
        assert host == "dgt.example"
        self.lookups += 1
        assert self.go.wait(20)
        if self.failure is not None:
            raise self.failure
        return self.found


async def test_many_ask_and_one_look_up_is_made() -> None:
    names = Names()
    resolver = Resolver("dgt.example", HandClock(), names)
    asking = asyncio.gather(*(resolver.addresses() for _ in range(50)))
    await turns()
    names.go.set()
    assert await asking == [[HERE]] * 50
    assert names.lookups == 1


async def test_what_was_found_is_used_for_five_seconds() -> None:
    names = Names()
    names.go.set()
    clock = HandClock()
    resolver = Resolver("dgt.example", clock, names)
    await resolver.addresses()
    clock.move(4.9)
    await resolver.addresses()
    assert names.lookups == 1
    clock.move(0.2)
    names.found = [ip_address("::1")]
    assert await resolver.addresses() == [ip_address("::1")]
    assert names.lookups == 2


async def test_what_was_of_no_use_is_forgotten() -> None:
    names = Names()
    names.go.set()
    resolver = Resolver("dgt.example", HandClock(), names)
    await resolver.addresses()
    resolver.forget()
    await resolver.addresses()
    assert names.lookups == 2


@pytest.mark.parametrize(
    "failure", [socket.gaierror(8, "unknown"), OSError(), UnicodeError("label too long"), KeyError("bug"), None]
)
async def test_a_name_without_an_address_is_an_error_and_asked_again(failure: Exception | None) -> None:
    names = Names()
    names.go.set()
    names.failure = failure
    names.found = []
    resolver = Resolver("dgt.example", HandClock(), names)
    for times in (1, 2):
        with pytest.raises(HttpError, match=r"no address is known for dgt\.example") as refusal:
            await resolver.addresses()
        assert refusal.value.kind == "resolve"
        assert names.lookups == times


async def test_cancelling_one_leaves_the_look_up_to_the_others() -> None:
    names = Names()
    resolver = Resolver("dgt.example", HandClock(), names)
    first, second = asyncio.create_task(resolver.addresses()), asyncio.create_task(resolver.addresses())
    await turns()
    first.cancel()
    await turns()
    names.go.set()
    assert await second == [HERE]
    assert first.cancelled()
    assert names.lookups == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_address_needs_no_look_up(host: str) -> None:
    resolver = Resolver(host, HandClock(), Names())
    resolver.forget()
    assert await resolver.addresses() == [ip_address(host)]


async def test_a_slow_name_server_does_not_hold_up_a_deadline() -> None:
    names = Names()
    clock = HandClock()
    async with HttpClient(Origin("http", "dgt.example", 80), clock, lookup=names) as client:
        outcomes = Outcomes()
        client.send(get(), clock.now() + 3, outcomes)
        await until(lambda: names.lookups == 1)
        clock.move(3)
        assert isinstance(outcomes[0], HttpError)
        assert (outcomes[0].kind, outcomes[0].sent) == ("timeout", False)
        await until(lambda: client.connections == 0)
    names.go.set()


async def test_a_slow_name_server_of_one_back_end_is_no_other_back_ends() -> None:
    """However many wait for theirs: each client asks in a thread of its own."""
    slow = [Names() for _ in range(20)]
    asking = [asyncio.create_task(Resolver("dgt.example", HandClock(), names).addresses()) for names in slow]
    await until(lambda: all(names.lookups for names in slow))
    quick = Names()
    quick.go.set()
    assert await Resolver("dgt.example", HandClock(), quick).addresses() == [HERE]
    for names in slow:
        names.go.set()
    await asyncio.gather(*asking)


def test_an_answer_that_comes_after_the_loop_is_closed_is_dropped() -> None:
    names = Names()

    async def ask() -> None:
        resolver = Resolver("dgt.example", HandClock(), names)
        task = asyncio.create_task(resolver.addresses())
        await until(lambda: names.lookups == 1)
        task.cancel()

    asyncio.run(ask())
    threads = [thread for thread in threading.enumerate() if thread.name == "resolve dgt.example"]
    assert all(thread.daemon for thread in threads)  # or else the process would wait for them
    names.go.set()
    for thread in threads:
        thread.join(20)  # an error in it would fail the test
    assert threads


def test_the_system_knows_this_machine() -> None:
    assert set(system_lookup("localhost")) & {HERE, ip_address("::1")}
