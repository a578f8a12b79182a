"""The engine `cassandra`: records and keys on an Apache Cassandra cluster, shared by any number of processes.

What it promises: an acknowledged write is on a quorum of the replicas in this datacentre (with one replica: on that one)
and every read that begins afterwards, in any process, sees it. One process's clock decides nothing: of two rows put under
one name the lower rank wins on every replica. Rows and keys expire by themselves (TTL); until the servers have noticed,
readers test the expiry by their own clock. A forgotten key stays forgotten for `LONGEST`. What one node keeps when it is
killed or loses power is its `commitlog_sync`: as Cassandra comes, all but the last tenth of a second, and all but the last
ten seconds; where there are several replicas, a quorum would have to lose it at the same moment.

What it needs: Cassandra 4.1 or newer (tested with 5.0), its lightweight transactions, and its guardrails for timestamps
left off: those of the rows are ranks. Nodes that keep no hints (`hinted_handoff_enabled: false`; `schema` says why). Clocks of
servers and processes that differ by less than the skew that the hub tolerates. Rights to make the keyspace and its tables, or
somebody who has made them. At replication 3 or more, one replica may be down.

Where a destroyed key may still stand: in the files of its table until they are merged, seconds later (a test shows it); on a
node that is away, until it is back and has stored a newer one; in hints, where nodes keep them; in snapshots and backups, for
whoever keeps them. Not in the commit log: `schema` says why, and what that costs.

What it emits: `esclusa_storage_errors_total` and `esclusa_storage_waiting_bytes`.
"""

from esclusa.engines.cassandra.settings import CassandraSettings

__all__ = ["CassandraSettings"]
