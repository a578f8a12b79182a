"""What the driver is told of TLS. That it does it is shown by tests/engines/test_secured_cassandra.py, with real nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import CassandraSettings, CassandraTlsSettings
from esclusa.kernel.errors import StorageError
from esclusa.kernel.instrument import Instrument

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


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.pem can't be read"):
        options(CassandraTlsSettings(ca=str(tmp_path / "none.pem")))
