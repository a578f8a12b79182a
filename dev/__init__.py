"""Starts and stops the real engines, from packages and without containers: for tests, benches, the demo and people.

    python -m dev up kafka cassandra     one node of each, in the background; --secured: with TLS and users
    python -m dev status --json          {"kafka": ["127.0.0.1:40001"], "cassandra": ["127.0.0.1:40002"]}
    python -m dev down
    python -m dev.demo                   the demo on a cluster: make demo-cluster

A test starts its own: `async with Kafka(folder, nodes=3) as kafka: ...`, with `secured=Secured(...)` where it asks for
certificates and passwords. What is started dies with who started it.
"""
