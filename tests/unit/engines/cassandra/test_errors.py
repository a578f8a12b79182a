"""What the driver says, in our words."""

from __future__ import annotations

import pytest
from acsylla import errors as driver

from esclusa.engines.cassandra.errors import explained, kind, unavailable
from esclusa.kernel.errors import StorageRefused


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (driver.CassErrorServerUnauthorized("User esclusa has no MODIFY permission"), "its user has no right to this"),
        (
            driver.CassErrorServerBadCredentials("Provided username esclusa and/or password are incorrect"),
            "the login is refused",
        ),
        (driver.CassErrorServerBadCredentials("Authentication required but no auth provider set"), "the nodes want a login"),
        (driver.CassErrorSslIdentityMismatch("subject name does not match"), "cassandra.tls.identity"),
        (driver.CassErrorSslInvalidPeerCert("certificate has expired"), "has expired; have it renewed"),
        (driver.CassErrorSslInvalidPeerCert("certificate is not yet valid"), "clock of this machine"),
        (driver.CassErrorSslInvalidPeerCert("unable to verify the first certificate"), "look at cassandra.tls.ca"),
        (driver.CassErrorSslProtocolError("ssl3_get_record:wrong version number"), "leave cassandra.tls out"),
        (driver.CassErrorSslProtocolError("sslv3 alert handshake failure"), "TLS 1.2"),
        (driver.CassErrorLibNoHostsAvailable("Connection closed prematurely"), "give cassandra.tls; or a certificate"),
        (driver.CassErrorLibNoHostsAvailable("Error: 'Unable to write to socket'"), "cassandra.tls.certificate"),
        (driver.CassErrorLibNoHostsAvailable("Connect error 'connection refused'"), "nobody listens there"),
        (driver.CassErrorLibNoHostsAvailable("All hosts in current policy attempted"), "esclusa check --connect"),
    ],
)
def test_what_the_driver_says_of_a_connection_has_a_remedy(error: Exception, words: str) -> None:
    said = str(unavailable(error))
    assert words in said
    assert type(error).__name__ in said


def test_what_has_no_remedy_is_told_by_its_kind() -> None:
    error = driver.CassErrorLibRequestTimedOut("Request timed out")
    assert explained(error) is None
    assert kind(error) == "timeout"
    assert str(unavailable(error)) == "Cassandra did not answer in time (CassErrorLibRequestTimedOut)"


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (driver.CassErrorServerUnauthorized("User esclusa has no MODIFY permission"), True),
        (driver.CassErrorServerBadCredentials("Provided username esclusa and/or password are incorrect"), True),
        (driver.CassErrorSslInvalidPeerCert("unable to verify the first certificate"), True),
        (driver.CassErrorSslIdentityMismatch("subject name does not match"), True),
        (driver.CassErrorServerBadCredentials("Unable to perform authentication: Cannot achieve consistency level"), False),
        (driver.CassErrorServerUnauthorized("Unable to perform authorization of permissions: timed out"), False),
        (driver.CassErrorSslClosed("closed"), False),
        (driver.CassErrorLibNoHostsAvailable("Connection closed prematurely"), False),
        (driver.CassErrorLibNoHostsAvailable("Connect error 'connection refused'"), False),
        (driver.CassErrorServerUnavailable("Cannot achieve consistency level LOCAL_QUORUM"), False),
    ],
)
def test_a_refusal_is_what_somebody_has_to_mend(error: Exception, refused: bool) -> None:
    """While most of a cluster is still starting, no node can look up who may log in: nobody is refused by that."""
    assert isinstance(unavailable(error), StorageRefused) == refused
