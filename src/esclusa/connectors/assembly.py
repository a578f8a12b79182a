"""Back ends from the settings of their connectors, and what is wrong with those."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial

from esclusa.connectors.backend import Backend
from esclusa.connectors.http_outcome import Outcomes
from esclusa.connectors.http_request import Requests, body_of, headers_of, is_idempotent
from esclusa.connectors.rest import RestBackend
from esclusa.connectors.settings import CertificateCredentials, ConnectorSettings, CredentialsSettings, TlsSettings
from esclusa.connectors.target import Target, parameter
from esclusa.connectors.template import header_template
from esclusa.connectors.transform import Transform, compiled
from esclusa.connectors.transport import HttpClient, InvalidRequest, Limits, Origin, RequestTemplate, client_context
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import ConfigurationError, Mistake
from esclusa.kernel.ids import Ids

KeyPath = tuple[str, ...]
"""Where in the configuration: `("connectors", "dgt", "headers", "X-Office")`."""


def make_backend(
    name: str,
    settings: ConnectorSettings,
    credentials: CredentialsSettings | None,
    max_answer: int,
    clock: Clock,
    ids: Ids,
    contexts: Contexts | None = None,
) -> Backend:
    """What the connector `name` asks; it connects when it first is. Made inside a running event loop.

    `credentials`: what `settings.credentials` names; `max_answer`: bytes of data beyond which an answer is too large;
    `contexts`: given where many are made, so that they share what is costly.
    `ConfigurationError`, with no line, when it can't be made: see `faults`, and files that can't be used.
    """
    found = faults(name, settings, credentials)
    tls, unusable = _context(name, settings, credentials, contexts or Contexts())
    found += unusable
    if found:
        raise ConfigurationError([Mistake("configuration", 0, f"{'.'.join(path)}: {what}") for path, what in found])
    idempotent = is_idempotent(settings)
    limits = Limits(connections=settings.concurrency, waiting=settings.concurrency, max_body=max_answer)
    client = HttpClient(Origin.of(settings.url), clock, limits=limits, tls=tls, name=settings.tls.name)
    outcomes = Outcomes(settings, _transform(settings), max_answer, clock, idempotent=idempotent)
    return RestBackend(Requests(settings, credentials, ids), outcomes, client, clock, idempotent=idempotent)


def faults(name: str, settings: ConnectorSettings, credentials: CredentialsSettings | None = None) -> list[tuple[KeyPath, str]]:
    """Everything wrong with the settings of one connector and its credentials: the key, and what is wrong with it.

    Reads no file and opens no connection; a module that `transform` names is imported.
    """
    here = ("connectors", name)
    checks: list[tuple[KeyPath, Callable[[], object]]] = [
        ((*here, "url"), partial(Target, settings.url, {})),
        *(((*here, "query", key), partial(parameter, text)) for key, text in settings.query.items()),
        *(((*here, "headers", key), partial(_header, key, text)) for key, text in settings.headers.items()),
        ((*here, "body"), partial(_body, settings)),
        ((*here, "transform"), partial(_transform, settings)),
        ((*here, "breaker", "window"), partial(_window, settings)),
        ((*here, "tls"), partial(_tls, settings)),
        ((*here, "credentials"), partial(_certificate, settings, credentials)),
        (("credentials", settings.credentials or ""), partial(_credentials, settings, credentials)),
    ]
    found = []
    for path, check in checks:
        try:
            check()
        except (ValueError, InvalidRequest) as error:
            found.append((path, str(error)))
    return found


def _header(name: str, text: str) -> None:
    header_template(text)
    RequestTemplate("GET", ((name.encode(), b""),))


def _body(settings: ConnectorSettings) -> None:
    body_of(settings)
    if settings.body is not None and settings.method in ("GET", "HEAD"):
        raise ValueError(f'a {settings.method} has no body: add method = "POST", or leave the body out')


def _transform(settings: ConnectorSettings) -> Transform | None:
    return None if settings.transform is None else compiled(settings.transform)


def _window(settings: ConnectorSettings) -> None:
    if not settings.breaker.window:
        raise ValueError('this can\'t be nothing: give it a length, such as "60s"')


def _tls(settings: ConnectorSettings) -> None:
    if settings.tls != TlsSettings() and not _is_secure(settings):
        raise ValueError("the URL is not https: there is no certificate to check")


def _certificate(settings: ConnectorSettings, credentials: CredentialsSettings | None) -> None:
    if isinstance(credentials, CertificateCredentials) and not _is_secure(settings):
        raise ValueError("the URL is not https: no certificate can be shown")


def _credentials(settings: ConnectorSettings, credentials: CredentialsSettings | None) -> None:
    own = {name.lower() for name in settings.headers}
    for name in headers_of(credentials):
        _header(name, "")
        if name.lower() in own:
            raise ValueError(f"they are shown in {name}, and the connector has that header already: leave one of the two out")


def _is_secure(settings: ConnectorSettings) -> bool:
    return settings.url.lower().startswith("https:")


class Contexts:
    """How TLS is done, made once for all connectors that trust and show the same: one costs 17 ms and 0.8 MiB."""

    def __init__(self) -> None:
        self._made: dict[tuple[str | None, CertificateCredentials | None], ssl.SSLContext] = {}

    def of(self, ca: str | None, shown: CertificateCredentials | None) -> ssl.SSLContext:
        """One that trusts `ca` (None: the system's) and shows `shown`. `ValueError` for files that can't be used."""
        context = self._made.get((ca, shown))
        if context is None:
            mine = {} if shown is None else {"certificate": shown.certificate, "key": shown.key, "password": shown.password}
            context = self._made[ca, shown] = client_context(ca=ca, **mine)
        return context


def _context(
    name: str, settings: ConnectorSettings, credentials: CredentialsSettings | None, contexts: Contexts
) -> tuple[ssl.SSLContext | None, list[tuple[KeyPath, str]]]:
    """How TLS is done, and the files that can't be used for it."""
    if not _is_secure(settings):
        return None, []
    shown = credentials if isinstance(credentials, CertificateCredentials) else None
    path: KeyPath = ("connectors", name, "tls", "ca")
    try:
        context = contexts.of(settings.tls.ca, None)
        path = ("credentials", settings.credentials or "", "certificate")
        return contexts.of(settings.tls.ca, shown) if shown else context, []
    except ValueError as error:
        return None, [(path, str(error))]
