"""What the driver is told, and what it is spared.

That it does it is shown with real nodes: of TLS by tests/engines/test_secured_cassandra.py, of a node that comes back by
tests/faults/test_cassandra.py.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from esclusa.engines.cassandra.session import RECONNECT_MS, Session, connected
from esclusa.engines.cassandra.settings import CassandraSettings, CassandraTlsSettings
from esclusa.kernel.errors import StorageError
from esclusa.kernel.instrument import Instrument
from esclusa.testing.virtual import settle

ISSUER, ADDRESS, NAME = 1, 2, 4
"""`CASS_SSL_VERIFY_PEER_CERT`, `_PEER_IDENTITY` and `_PEER_IDENTITY_DNS` of cassandra.h."""


def options(tls: CassandraTlsSettings | None) -> dict[str, Any]:
    return Session(CassandraSettings(hosts=["node"], tls=tls), Instrument())._options()


def test_without_tls_nothing_is_said_of_it() -> None:
    assert not [name for name in options(None) if name.startswith("ssl")]


@pytest.mark.parametrize(
    ("identity", "verified"), [("address", ISSUER | ADDRESS), ("name", ISSUER | NAME), ("authority", ISSUER)]
)
def test_the_issuer_is_verified_whatever_else_is(tmp_path: Path, identity: Any, verified: int) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("an authority")
    told = options(CassandraTlsSettings(ca=str(file), identity=identity))
    assert told["ssl_enabled"]
    assert told["ssl_trusted_cert"] == "an authority"
    assert told["ssl_verify_flags"].value == verified
    assert told["hostname_resolution"] == (identity == "name")


def test_a_node_that_is_down_is_tried_at_one_pace_however_long_it_is_down() -> None:
    """The driver's wrapper has a default for another pace, that slows down, and would count (1.2.0)."""
    told = options(None)
    assert told["constant_reconnect_delay_ms"] == RECONNECT_MS
    assert told["exponential_reconnect_base_delay_ms"] is None


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.pem can't be read"):
        options(CassandraTlsSettings(ca=str(tmp_path / "none.pem")))


class Connecting:
    """A session of the driver's, that is connected when a test says so."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.closed = False

    async def connect(self) -> Connecting:
        await self.done.wait()
        return self

    async def close(self) -> None:
        self.closed = True


@pytest.mark.virtual_time
async def test_who_is_cancelled_while_it_connects_lets_go_once_it_is_connected() -> None:
    """Before, the driver can't: the process would hang."""
    session = Connecting()
    opening = asyncio.ensure_future(connected(session.connect()))
    await settle()
    opening.cancel()
    await settle()
    assert not opening.done()
    session.done.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert session.closed
