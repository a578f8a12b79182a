"""SOAP: a question as an envelope by a WSDL, its answer as JSON (H10)."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

from esclusa.connectors.backend import Backend
from esclusa.connectors.faults import Check
from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.http.credentials import check_header, credential_checks
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import ConnectorProtocol, Workshop
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings
from esclusa.connectors.soap.settings import SecuritySettings, SoapSettings
from esclusa.connectors.target import Target
from esclusa.connectors.template import JsonTemplate


def _make(name: str, settings: SoapSettings, credentials: CredentialsSettings | None, workshop: Workshop) -> Backend:
    from esclusa.connectors.soap.backend import made  # noqa: PLC0415 - its packages are an extra

    return made(name, settings, credentials, workshop)


def _prepare(name: str, settings: SoapSettings, workshop: Workshop) -> object:
    from esclusa.connectors.soap.backend import described  # noqa: PLC0415 - as above

    return described(name, settings, workshop)


def _checks(name: str, settings: SoapSettings, credentials: CredentialsSettings | None) -> list[Check]:
    here = ("connectors", name)
    return [
        ((*here, "protocol"), _installed),
        ((*here, "url"), partial(_url, settings)),
        *(((*here, "headers", key), partial(check_header, key, text)) for key, text in settings.headers.items()),
        ((*here, "arguments"), partial(JsonTemplate, settings.arguments)),
        ((*here, "tls"), partial(_tls, settings)),
        ((*here, "security"), partial(_security, settings.security)),
        ((*here, "credentials"), partial(_certificate, settings, credentials)),
        *credential_checks(settings.credentials or "", settings.headers, credentials),
    ]


def _installed() -> None:
    if any(find_spec(package) is None for package in ("zeep", "xmlsec")):
        raise ValueError('SOAP is not installed: pip install "esclusa[soap]"')


def _url(settings: SoapSettings) -> None:
    if settings.url is not None:
        Target(settings.url, {})


def _tls(settings: SoapSettings) -> None:
    unsafe = settings.url is not None and not is_secure(settings.url) and not is_secure(settings.wsdl)
    if settings.tls != TlsSettings() and unsafe:
        raise ValueError("neither URL is https: there is no certificate to check")


def _certificate(settings: SoapSettings, credentials: CredentialsSettings | None) -> None:
    if isinstance(credentials, CertificateCredentials) and settings.url is not None and not is_secure(settings.url):
        raise ValueError("the URL is not https: no certificate can be shown")


def _security(settings: SecuritySettings | None) -> None:
    if settings is None:
        return
    if settings.username is None and settings.password is not None:
        raise ValueError("there is a password without a username: add username, or leave the password out")
    if settings.type == "digest" and settings.password is None:
        raise ValueError("a digest is of a password: add username and password")
    if settings.username is None and settings.timestamp is None and settings.sign is None:
        raise ValueError("there is nothing in it: add username, timestamp or sign, or leave it out")


SOAP = ConnectorProtocol(SoapSettings, _checks, _make, _prepare)
"""SOAP."""
