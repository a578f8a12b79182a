"""Certificates, right and wrong ones, of an authority made up for one test."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
_FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)
_NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""That there is no end to it (RFC 5280, 4.1.2.5)."""
_AUTHORITIES = 1_000_000_000
"""So many have each a name of its own: one with another's name and another key is a forger, which is another case."""
_PEM = serialization.Encoding.PEM


class Certificates:
    """An authority, and what it (or nobody) vouches for. Files go into a folder of the caller's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"An authority of a test, {x509.random_serial_number() % _AUTHORITIES}")
        authority = _builder(self._name, self._name, self._key, _BEGIN, _NEVER)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        certificate = authority.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        ca = folder / "ca.pem"
        ca.write_bytes(certificate.public_bytes(_PEM))
        self.ca = str(ca)
        """The authority's PEM file, to be trusted."""

    def server(
        self, host: str, *, expired: bool = False, early: bool = False, self_signed: bool = False, clients: bool = False
    ) -> ssl.SSLContext:
        """A back end's side of TLS, with a certificate for `host` (an IP address or a name).

        `early`: it is not valid yet; `clients`: it takes only clients that show a certificate of this authority.
        """
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        begin, end = _FAR_OFF if early else _BEGIN, _LONG_AGO if expired else _NEVER
        certificate, key = self._issue("server", "A back end of a test", alternative, begin, end, self_signed=self_signed)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.ca if clients else None)
        context.load_cert_chain(certificate, key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, name: str) -> tuple[str, str]:
        """The PEM files of a client's certificate and of its key, for TLS in which both sides show one."""
        return self._issue("client", name, x509.DNSName(name), _BEGIN, _NEVER, self_signed=False)

    def _issue(
        self, file: str, name: str, alternative: x509.GeneralName, begin: datetime, end: datetime, *, self_signed: bool
    ) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        issuer, by = (subject, key) if self_signed else (self._name, self._key)
        builder = _builder(subject, issuer, key, begin, end).add_extension(
            x509.SubjectAlternativeName([alternative]), critical=False
        )
        places = self._folder / f"{file}.pem", self._folder / f"{file}.key"
        places[0].write_bytes(builder.sign(by, hashes.SHA256()).public_bytes(_PEM))
        plain = serialization.NoEncryption()
        places[1].write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain))
        return str(places[0]), str(places[1])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), begin, end)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
