"""REST: a question as an HTTP request, its answer as JSON (H10)."""

from __future__ import annotations

import re
from functools import partial

from esclusa.connectors.backend import Abort, Done, Outcome, Question, Reason
from esclusa.connectors.faults import Check
from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.http.credentials import check_credentials, check_header
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import ConnectorProtocol, Workshop
from esclusa.connectors.rest.outcome import Outcomes
from esclusa.connectors.rest.request import Requests, body_of, is_idempotent
from esclusa.connectors.rest.settings import RestSettings
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings
from esclusa.connectors.target import Target, parameter
from esclusa.connectors.transform import compiled
from esclusa.connectors.transport import HttpClient, HttpError, InvalidRequest, Limits, Origin, Response
from esclusa.kernel.clock import Clock

_STATUS = re.compile(r"[1-5](\d\d|xx)", re.ASCII)


class RestBackend:
    """A back end that is asked over HTTP and answers with JSON."""

    def __init__(self, requests: Requests, outcomes: Outcomes, client: HttpClient, clock: Clock, *, idempotent: bool) -> None:
        """`idempotent`: whether a call may be cut or made again without harm. The client is closed with the back end."""
        self._requests = requests
        self._outcomes = outcomes
        self._client = client
        self._clock = clock
        self._idempotent = idempotent

    @property
    def idempotent(self) -> bool:
        """As given when this was made."""
        return self._idempotent

    def ask(self, question: Question, by: float, done: Done) -> Abort:
        """As `Backend.ask`. What can't be put into a request is a `BACKEND_ERROR`; nothing is sent then."""
        try:
            request = self._requests.make(question)
        except UnicodeError:
            return self._refuse("a value has characters that can't be sent", done)
        except (ValueError, InvalidRequest) as error:
            return self._refuse(str(error), done)
        return self._client.send(request, by, partial(self._ended, done)).abort

    async def close(self) -> None:
        """As `Backend.close`."""
        await self._client.close()

    def _ended(self, done: Done, ending: Response | HttpError) -> None:
        done(self._outcomes.read(ending))

    def _refuse(self, why: str, done: Done) -> Abort:
        outcome = Outcome(reason=Reason.BACKEND_ERROR, detail=f"It can't be asked this: {why}")
        return self._clock.call_at(0.0, done, outcome).cancel


def _make(name: str, settings: RestSettings, credentials: CredentialsSettings | None, workshop: Workshop) -> RestBackend:
    clock, idempotent = workshop.clock, is_idempotent(settings)
    tls = workshop.contexts.dial(settings.url, settings, credentials, name)
    limits = Limits(connections=settings.concurrency, waiting=settings.concurrency, max_body=workshop.max_answer)
    client = HttpClient(Origin.of(settings.url), clock, limits=limits, tls=tls, name=settings.tls.name)
    transform = None if settings.transform is None else compiled(settings.transform)
    outcomes = Outcomes(settings, transform, workshop.max_answer, clock, idempotent=idempotent)
    return RestBackend(Requests(settings, credentials, workshop.ids), outcomes, client, clock, idempotent=idempotent)


def _checks(name: str, settings: RestSettings, credentials: CredentialsSettings | None) -> list[Check]:
    here = ("connectors", name)
    return [
        ((*here, "url"), partial(Target, settings.url, {})),
        *(((*here, "query", key), partial(parameter, text)) for key, text in settings.query.items()),
        *(((*here, "headers", key), partial(check_header, key, text)) for key, text in settings.headers.items()),
        ((*here, "body"), partial(_body, settings)),
        *(((*here, "statuses", status), partial(_status, status)) for status in settings.statuses),
        ((*here, "tls"), partial(_tls, settings)),
        ((*here, "credentials"), partial(_certificate, settings, credentials)),
        (("credentials", settings.credentials or ""), partial(check_credentials, settings.headers, credentials)),
    ]


def _body(settings: RestSettings) -> None:
    body_of(settings)
    if settings.body is not None and settings.method in ("GET", "HEAD"):
        raise ValueError(f'a {settings.method} has no body: add method = "POST", or leave the body out')


def _status(status: str) -> None:
    if not _STATUS.fullmatch(status):
        raise ValueError('this is no status: write one such as "404", or a class such as "5xx"')


def _tls(settings: RestSettings) -> None:
    if settings.tls != TlsSettings() and not is_secure(settings.url):
        raise ValueError("the URL is not https: there is no certificate to check")


def _certificate(settings: RestSettings, credentials: CredentialsSettings | None) -> None:
    if isinstance(credentials, CertificateCredentials) and not is_secure(settings.url):
        raise ValueError("the URL is not https: no certificate can be shown")


REST = ConnectorProtocol(RestSettings, _checks, _make)
"""REST."""
