"""The engine `sqlite`: every port, durable, in one folder and one process, with nothing to install.

What it promises: an acknowledged write survives the death of the process (`kill -9`); after a power cut the last
moments may be missing, but nothing is half there (WAL, `synchronous=NORMAL`). Destroyed keys are in no file of the
folder; on a file system that copies on write, or a disk that remaps its blocks, the hardware may hold an older copy.

What it needs: a folder on a local disk, of which it is the only user. What it emits: `esclusa_storage_*` counters, and
the signals `storage.committed`, `storage.failed`, `storage.checkpointed`.
"""

from esclusa.engines.sqlite.sqlite import SqliteEngine

__all__ = ["SqliteEngine"]
