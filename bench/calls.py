"""What it costs to call a back end: the client beside its peers, each protocol, each policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from bench.clients import CLIENTS, Clients, Work, works
from bench.hosts import hosts
from bench.load import Typical, in_turns, say
from bench.policies import POLICIES
from bench.protocols import PROTOCOLS


class Calls(msgspec.Struct, frozen=True):
    """One run."""

    clients: Sequence[Clients]
    protocols: Mapping[str, Typical]
    policies: Mapping[str, Typical]


def measured(addresses: Sequence[str], core: int, rounds: int, seconds: float) -> Calls:
    """All of it. `core`: where the hosts of other kinds run."""
    with hosts(core) as others:
        clients = [beside_peers(name, work, rounds, seconds) for name, work in works(addresses, others).items()]
        say("calls by protocol")
        asked = [partial(ask, addresses[0], others, seconds) for ask in PROTOCOLS.values()]
        protocols = dict(zip(PROTOCOLS, in_turns(rounds, *asked), strict=True))
    say("calls by policy")
    policies = dict(zip(POLICIES, in_turns(rounds, *(partial(each, seconds) for each in POLICIES.values())), strict=True))
    return Calls(clients, protocols, policies)


def beside_peers(name: str, work: Work, rounds: int, seconds: float) -> Clients:
    """Every client at one kind of work."""
    say(f"the HTTP client beside others: {name}")
    return Clients(
        name, dict(zip(CLIENTS, in_turns(rounds, *(partial(each, work, seconds) for each in CLIENTS.values())), strict=True))
    )
