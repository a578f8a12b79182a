"""What every engine that lives inside one process shares: all of a log, a records port and a write queue but the storage.

Topics with a tail in memory, groups with sticky assignment and revocation, broadcast, writes of one moment committed
together. An engine brings the storage: where older messages, rows and positions are kept, and how a group of writes
becomes durable (`writer.Storage`, `log.Archive`).
"""
