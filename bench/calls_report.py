"""The tables of what it costs to call a back end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.calls import Calls
from bench.clients import IN_THE_AIR, Clients
from bench.load import Typical
from bench.tables import calls, compared, difference, table


def tables(measured: Calls) -> list[str]:
    """All of them, with their headings."""
    return [
        "## Calling back ends",
        f"One GET, {IN_THE_AIR} in the air, by HTTP client:",
        _clients(measured.clients),
        "A question to a connector, by protocol, the same 300 bytes:",
        _protocols(measured.protocols),
        "What each policy adds, over a back end that answers at once:",
        _policies(measured.policies),
    ]


def _clients(clients: Sequence[Clients]) -> str:
    """By work, and by client within it."""
    rows = []
    for each in clients:
        first = next(iter(each.by.values()))
        rows += [(each.work, name, *compared(cost, first)) for name, cost in each.by.items()]
    return table(("Answer", "Client", "calls/s", "µs a call", "to ours"), rows)


def _protocols(protocols: Mapping[str, Typical]) -> str:
    first = next(iter(protocols.values()))
    return table(
        ("Protocol", "calls/s", "µs a call", "to REST"),
        [(name, *compared(cost, first)) for name, cost in protocols.items()],
    )


def _policies(policies: Mapping[str, Typical]) -> str:
    (none, bare), (shipped, usual), *further = policies.items()
    return table(
        ("Policies", "calls/s", "µs a call", "more"),
        [
            (none, *calls(bare), ""),
            (shipped, *calls(usual), difference(usual.micros - bare.micros)),
            *((name, *calls(cost), difference(cost.micros - usual.micros)) for name, cost in further),
        ],
    )
