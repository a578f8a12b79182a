"""The bench: each budget of the design beside its peer, in one run on one machine, as a ratio.

    machine      cores, and what the figures were measured on
    backends     the back ends, in a process of their own on a core of their own
    questions    the hub as it ships, and somebody who asks it
    byhand       the peer: the same calls with asyncio.gather and aiohttp
    load         so many at once, or so many a second; what that cost
    throughput   calls a second and core, beside the peer
    latency      from the slowest back end's answer to the final result, at half load
    growth       what a call costs with more connectors, and with more open requests
    stages       where the microseconds of a call go
    report       the tables

`python -m bench` from the root of the repository.
"""
