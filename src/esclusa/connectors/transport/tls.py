"""TLS as a client: who is trusted, who we are, and what went wrong in words."""

from __future__ import annotations

import ssl
from pathlib import Path

_UNTRUSTED = {
    7: "its certificate was not signed by the authority that it names",
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate comes from an authority that is not trusted",
    20: "its certificate comes from an authority that is not trusted",
    21: "its certificate comes from an authority that is not trusted",
    23: "its certificate has been revoked",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
}
"""What is wrong with a certificate, by OpenSSL's code of verification (openssl-verification-options, x509_vfy.h)."""


def client_context(
    *, ca: str | None = None, certificate: str | None = None, key: str | None = None, password: str | None = None
) -> ssl.SSLContext:
    """The context of TLS that checks back ends, and shows our certificate to those that ask. One context serves any number of clients.

    - `ca`: a PEM file of the authorities to trust, instead of the system's.
    - `certificate`, `key`: PEM files, for mutual TLS; the key may stand in the certificate's file, under `password`.

    TLS 1.2 at least, the standard library's default; chain and name are always verified. `ValueError` in words for a file that can't be used.
    """
    for file in (ca, certificate, key):
        if file and Path(file).exists() and not Path(file).is_file():  # a pipe would keep waiting who opens it
            raise ValueError(f"{file} is no file")
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"{ca}: no authorities can be read from it ({_reason(error)})") from None
    context.set_alpn_protocols(["http/1.1"])
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password or "")  # with no password at all, it asks the terminal
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"{certificate}: no certificate with its key can be read ({_reason(error)})") from None
    return context


def in_our_words(error: Exception) -> str:
    """What went wrong between two sides of TLS, without a word of the other side's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _UNTRUSTED.get(error.verify_code, "its certificate can't be verified")
    if isinstance(error, ssl.SSLError):
        _, alert, words = (getattr(error, "reason", None) or "").partition("_ALERT_")  # not all of them have one
        return f"it refused TLS with us: {words.lower().replace('_', ' ')}" if alert else "it does not speak TLS as we do"
    return "it closed the connection while TLS was being set up"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (getattr(error, "reason", None) or "not PEM").lower().replace("_", " ")
    return error.strerror or "unreadable"
