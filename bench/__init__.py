"""The bench: each budget of the design beside its peer, in one run on one machine, as a ratio.

    machine          cores, and what the figures were measured on
    backends         the back ends, in a process of their own on a core of their own
    servers          Kafka and Cassandra, on the core of the back ends
    questions        the hub as it ships, and somebody who asks it
    byhand           the peer: the same calls with asyncio.gather and aiohttp
    bygroups         the other peer: a Kafka consumer group for each back end, with aiokafka and aiohttp
    load             so many at once, or so many a second; what that cost

    throughput       calls a second and core
    latency          from the slowest back end's answer to the final result, at half load
    growth           what a call costs with more connectors, and with more open requests
    stages           where the microseconds of a call go
    threads          whose processor time it is
    operations       what each operation on Kafka and Cassandra costs its client
    steps            how long each step of a request takes
    processes        connectors in processes of their own
    recovery         connectors that come back to a minute of backlog

    embedded         what is measured of the embedded engine
    cluster          what is measured of the hub on Kafka and Cassandra
    report           the page; `embedded_report`, `cluster_report` and `tables` make its tables

`python -m bench` from the root of the repository.
"""
