"""The demo on a cluster: the demo country asked by many processes on Kafka and Cassandra, any of which may be killed.

    python -m dev.demo              Enter asks again, Ctrl-C ends it
    python -m dev.demo --once

The country, its configuration and the live table are those of `esclusa demo`; the rest of it is here.
"""
