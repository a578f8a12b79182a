"""Kafka and Cassandra, one node of each, on the core that the back ends have; in a process of their own, and so are both."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dev.cassandra import Cassandra
from dev.jars import Missing
from dev.kafka import Kafka
from dev.node import NotReady

from bench.child import child
from bench.machine import settle
from bench.questions import Storage


async def serve(folder: Path) -> None:
    """Start both, say where or why not, and go on until standard input ends."""
    try:
        async with Kafka(folder) as kafka, Cassandra(folder) as cassandra:
            print(json.dumps([kafka.addresses, cassandra.addresses]), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    except (Missing, NotReady) as error:
        print(json.dumps(str(error)), flush=True)


@contextmanager
def servers(core: int) -> Iterator[Storage]:
    """Both, for as long as this lasts; `Missing`, in words, where they can't be had."""
    with TemporaryDirectory(prefix="esclusa-bench-") as folder, child("bench.servers", folder, str(core)) as line:
        said = json.loads(line or b'"the servers have ended"')
        if isinstance(said, str):
            raise Missing(said)
        yield Storage("memory", *said)


if __name__ == "__main__":
    settle(int(sys.argv[2]))
    asyncio.run(serve(Path(sys.argv[1])))
