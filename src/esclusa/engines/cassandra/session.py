"""The connection to the cluster: the one place that speaks to the driver.

The driver is asynchronous C++ with threads of its own; here its statements are made and awaited, its errors translated,
and what is on its way is bounded in number and bytes. The driver has no types: what comes from it is `Any` in here.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import acsylla
from acsylla.errors import CassException

from esclusa.engines.cassandra.errors import BUSY, PASSING, counter, kind, unavailable
from esclusa.engines.cassandra.settings import CassandraSettings, CassandraTlsSettings, check, contact
from esclusa.kernel.errors import Closed, StorageError, StorageUnavailable
from esclusa.kernel.instrument import Instrument

T = TypeVar("T")
Prepared = Any
"""A prepared statement; called with its values it is a statement."""

MOST = 4096
"""Operations on their way; beyond, they are refused. The driver's own queue takes twice as many."""
MOST_BYTES = 64 << 20
"""Bytes of them."""
ENTRY = 200
"""Bytes that an operation counts beside its contents."""
ATTEMPTS = 2
"""Of what can be tried twice, at whatever nodes the driver picks, in an equal share of the timeout each. (The driver's own
speculative executions are no way to do this: with them a statement to a node that says nothing never ends, 1.2.0.)"""
LATE = 0.1
"""Seconds by which a timeout may be late."""
CONTENDED = 16
"""Attempts of a lightweight transaction. Where two meet, either may be told at once that nobody knows which of them won."""
HEARTBEAT = 1
"""Seconds between two signs of life of an idle connection."""
HUNG = 3
"""Seconds without any after which a node is given up, where there are others."""
ALONE = 15
"""Where there are none: to give up the only one wins nothing, and a pause of its own would look like its death."""
RECONNECT_MS = 500
"""Milliseconds between two tries to reach a node that is down."""
CONNECT = 5.0
"""Seconds to connect to a node."""
_CLOSED: deque[Any] = deque(maxlen=16)
"""The last sessions that were closed; a process has one. Beside a session, and longer, the driver makes its statements known to
a node that has just come back, and then tells the session; where that was freed meanwhile the process dies (1.2.0:
"terminate called without an active exception"). So none is freed before others have been opened and closed."""


class Session:
    """Statements in, rows out. `StorageUnavailable` for whatever the driver or the cluster says."""

    def __init__(self, settings: CassandraSettings, instrument: Instrument) -> None:
        self.settings = settings
        self.bytes = 0
        """On their way."""
        self._errors = counter(instrument)
        self._cluster: Any = None
        """One for all tries to connect: the driver never gives back what each takes (1.2.0)."""
        self._session: Any = None
        self._running: set[Future[Any]] = set()

    # ---- its life

    async def open(self) -> None:
        """Connect. `StorageUnavailable`; `StorageError` for settings that can't be used."""
        check(self.settings)
        hosts, port = contact(self.settings.hosts)
        try:
            if self._cluster is None:
                self._cluster = acsylla.create_cluster(hosts, port, **self._options())
            self._session = await connected(self._cluster.create_session())
        except CassException as error:
            self._count(error)
            if self.settings.datacentre and "local datacenter" in str(error):
                raise StorageError(
                    f'no node of Cassandra is in the datacentre "{self.settings.datacentre}": look at cassandra.datacentre;'
                    ' "esclusa check --connect" says which ones there are'
                ) from error
            raise unavailable(error) from error

    def _options(self) -> dict[str, Any]:
        settings = self.settings
        alone = settings.replication == 1
        options: dict[str, Any] = {
            "consistency": "LOCAL_ONE" if alone else "LOCAL_QUORUM",
            "serial_consistency": "LOCAL_SERIAL",
            "request_timeout": settings.timeout / ATTEMPTS,
            "connect_timeout": min(CONNECT, float(settings.timeout)),
            "constant_reconnect_delay_ms": RECONNECT_MS,
            # Unless told otherwise the driver's wrapper sets this one last, and it counts: up to a minute (1.2.0).
            "exponential_reconnect_base_delay_ms": None,
            "heartbeat_interval_sec": HEARTBEAT,
            "idle_timeout_sec": ALONE if alone else HUNG,
            "load_balance_dc_aware": settings.datacentre or None,
            "application_name": "esclusa",
            "log_level": "critical",  # what matters is told by the operations that fail
        }
        if settings.username:
            options |= {"username": settings.username, "password": settings.password}
        return options | _tls(settings.tls)

    async def close(self) -> None:
        """Wait for what is on its way and let go."""
        await self.settled()
        session, self._session = self._session, None
        if session is not None:
            _CLOSED.append(session)
            try:
                await session.close()
            except CassException as error:
                self._count(error)  # it is gone all the same

    async def settled(self) -> None:
        """Return when what is on its way now has come to its end."""
        if self._running:
            await asyncio.wait(list(self._running))

    def kill(self) -> None:
        """Die: whoever waits is told nothing."""
        for running in self._running:
            running.cancel()
        self._session = None

    # ---- operations

    def run(self, size: int, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin `work`, an operation of `size` bytes; refused (`StorageUnavailable`) when too much is on its way."""
        if len(self._running) >= MOST or self.bytes > MOST_BYTES:
            work.close()
            self._errors.add(BUSY)
            return failed(StorageUnavailable(f"{len(self._running)} operations of {self.bytes} bytes wait for Cassandra"))
        running = asyncio.get_running_loop().create_task(work)
        size += ENTRY
        self.bytes += size
        self._running.add(running)

        def ended(running: Future[T]) -> None:
            self._running.discard(running)
            self.bytes -= size

        running.add_done_callback(ended)
        return running

    async def prepare(self, statement: str, *, serial: bool = False) -> Prepared:
        """`statement` ready for use, with the keyspace for `{keyspace}`. `serial`: it reads what transactions decided."""
        consistency = acsylla.Consistency.LOCAL_SERIAL if serial else None
        try:
            return await self._connected().create_prepared(self._named(statement), consistency=consistency)
        except CassException as error:
            self._count(error)
            raise unavailable(error) from error

    async def query(self, statement: str, *, seconds: float | None = None, node: str = "") -> list[tuple[Any, ...]]:
        """Run a statement that is used once, with the keyspace for `{keyspace}`; its rows, within `seconds`.

        `node`: the address of the one that is asked, and no other; whichever the driver picks unless given.
        """
        once = acsylla.create_statement(self._named(statement), timeout=seconds)
        if node:
            once.set_host(node, contact(self.settings.hosts)[1])
        try:
            return list(tuples(await self._connected().execute(once)))
        except CassException as error:
            self._count(error)
            raise unavailable(error) from error

    async def execute(self, prepared: Prepared, values: Sequence[Any], *, attempts: int = ATTEMPTS) -> Any:
        """Run a statement that may be run several times; its result."""
        return await self._attempt(prepared(values), self._connected().execute, attempts)

    async def together(self, prepared: Prepared, all_values: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of `all_values`, all of one partition: all of them or none. They may be tried twice."""
        batch = acsylla.create_batch_unlogged()
        for values in all_values:
            batch.add_statement(prepared(values))
        await self._attempt(batch, self._connected().execute_batch)

    async def _attempt(self, statement: Any, execute: Callable[[Any], Awaitable[Any]], attempts: int = ATTEMPTS) -> Any:
        """As often as may be, each time while there is time for it left."""
        statement.set_is_idempotent(True)
        now = asyncio.get_running_loop().time
        last = now() + self.settings.timeout * (1 - 1 / ATTEMPTS) + LATE
        while True:
            attempts -= 1
            try:
                return await execute(statement)
            except CassException as error:
                self._count(error)
                if not attempts or kind(error) not in PASSING or now() > last:
                    raise unavailable(error) from error

    def _named(self, statement: str) -> str:
        return statement.replace("{keyspace}", self.settings.keyspace)

    def _connected(self) -> Any:
        if self._session is None:
            raise Closed("the connection to Cassandra is closed")
        return self._session

    def _count(self, error: CassException) -> None:
        self._errors.add(kind(error))


async def connected(connecting: Coroutine[Any, Any, Any]) -> Any:
    """The session, once it is connected. Who is cancelled meanwhile waits for the end of that all the same.

    To let go of a session that is being connected hangs the process (1.2.0); it takes the time to connect at most.
    """
    session = asyncio.ensure_future(connecting)
    try:
        return await asyncio.shield(session)
    except asyncio.CancelledError:
        await asyncio.wait([session])
        if session.exception() is None:
            await session.result().close()
        raise


def failed(error: Exception) -> Future[Any]:
    """A future with this error."""
    future: Future[Any] = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    return future


def tuples(result: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a result, their columns in the order of the statement."""
    for row in result:
        yield row.as_tuple()


class Flags(NamedTuple):
    """What the driver is to verify of a node, by the numbers of its C interface (`cassandra.h`).

    acsylla's names won't do (1.2.0): its `PEER_IDENTITY` is `PEER_CERT`, under which any node's certificate will do for
    any node. In the driver itself each flag asks for its own thing alone: those of identity don't ask who is the issuer.
    """

    value: int


_ISSUER, _ADDRESS, _NAME = 1, 2, 4
VERIFIED = {"address": Flags(_ISSUER | _ADDRESS), "name": Flags(_ISSUER | _NAME), "authority": Flags(_ISSUER)}
"""By `cassandra.tls.identity`."""


def _tls(settings: CassandraTlsSettings | None) -> dict[str, Any]:
    if settings is None:
        return {}
    return {
        "ssl_enabled": True,
        "ssl_trusted_cert": _read(settings.ca),
        "ssl_cert": settings.certificate and _read(settings.certificate),
        "ssl_private_key": settings.key and _read(settings.key),
        "ssl_private_key_password": settings.password or "",
        "ssl_verify_flags": VERIFIED[settings.identity],
        "hostname_resolution": settings.identity == "name",
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} can't be read as PEM: {error}") from error
