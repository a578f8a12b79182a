"""Certificates, right and wrong ones, of an authority made up for one test."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from esclusa.kernel.clock import Clock

_DAY = timedelta(1)
_PEM = serialization.Encoding.PEM


class Certificates:
    """An authority, and what it (or nobody) vouches for. Files go into a folder of the caller's. Made inside a running event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = datetime.fromtimestamp(Clock().now(), UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("An authority of a test")
        authority = self._builder(self._name, self._key, self._now + _DAY)
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

    def server(self, host: str, *, expired: bool = False, self_signed: bool = False) -> ssl.SSLContext:
        """A back end's side of TLS, with a certificate for `host` (an IP address or a name)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("A back end of a test")
        issuer, by = (subject, key) if self_signed else (self._name, self._key)
        until = self._now - _DAY if expired else self._now + _DAY
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        builder = self._builder(subject, key, until, issuer).add_extension(
            x509.SubjectAlternativeName([alternative]), critical=False
        )
        certificate = builder.sign(by, hashes.SHA256())
        secret = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file = self._folder / "server.pem"
        file.write_bytes(secret + certificate.public_bytes(_PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime, issuer: x509.Name | None = None
    ) -> x509.CertificateBuilder:
        begin = self._now - 10 * _DAY
        number = x509.random_serial_number()
        return x509.CertificateBuilder(issuer or subject, subject, key.public_key(), number, begin, until)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
