"""REST: a question as an HTTP request, its answer as JSON, XML or text (H10)."""

from __future__ import annotations

import re
from functools import partial

from esclusa.connectors.backend import Abort, Done, Outcome, Question, Reason
from esclusa.connectors.faults import Check
from esclusa.connectors.http.client import Client, make_client
from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.http.credentials import check_header, credential_checks
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import ConnectorProtocol, Workshop
from esclusa.connectors.rest.outcome import Outcomes
from esclusa.connectors.rest.paging import Pager, paging_checks
from esclusa.connectors.rest.request import Requests, body_of, is_idempotent
from esclusa.connectors.rest.revalidation import Revalidation
from esclusa.connectors.rest.settings import RestSettings
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings
from esclusa.connectors.target import Target, parameter
from esclusa.connectors.transport import HttpError, InvalidRequest, Origin, Response
from esclusa.kernel.clock import Clock

_STATUS = re.compile(r"[1-5](\d\d|xx)", re.ASCII)


class RestBackend:
    """A back end that is asked over HTTP and answers with JSON, XML or text."""

    def __init__(
        self,
        requests: Requests,
        outcomes: Outcomes,
        client: Client,
        pager: Pager | None,
        clock: Clock,
        *,
        idempotent: bool,
        revalidation: Revalidation | None = None,
    ) -> None:
        """`pager`: asks for answers that come in pages, with the same `client`, which is closed with the back end.

        `revalidation`: remembers answers, so that what has not changed need not come again.
        `idempotent`: whether a call may be cut or made again without harm.
        """
        self._requests = requests
        self._outcomes = outcomes
        self._client = client
        self._pager = pager
        self._clock = clock
        self._idempotent = idempotent
        self._revalidation = revalidation

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
        if self._pager is not None:
            return self._pager.ask(request, by, done)
        if self._revalidation is not None:
            request, condition = self._revalidation.condition(request)
            return self._client.send(request, by, lambda ending: self._ended(done, condition.answer(ending))).abort
        return self._client.send(request, by, partial(self._ended, done)).abort

    async def close(self) -> None:
        """As `Backend.close`."""
        await self._client.close()
        if self._revalidation is not None:
            self._revalidation.close()

    def _ended(self, done: Done, ending: Response | HttpError) -> None:
        done(self._outcomes.read(ending))

    def _refuse(self, why: str, done: Done) -> Abort:
        outcome = Outcome(reason=Reason.BACKEND_ERROR, detail=f"It can't be asked this: {why}")
        return self._clock.call_at(0.0, done, outcome).cancel


def _make(name: str, settings: RestSettings, credentials: CredentialsSettings | None, workshop: Workshop) -> RestBackend:
    clock, idempotent = workshop.clock, is_idempotent(settings)
    client = make_client(settings.url, name, settings, credentials, workshop)
    transform = workshop.transform(settings)
    outcomes = Outcomes(settings, transform, workshop.max_answer, clock, idempotent=idempotent)
    requests = Requests(settings, credentials, workshop.ids)
    pager = None
    if settings.paging is not None:
        pager = Pager(settings.paging, Origin.of(settings.url), outcomes, client, requests.again, workshop.max_answer)
    revalidation = None if settings.revalidate is None else Revalidation(settings.revalidate, clock, requests.of_the_call)
    return RestBackend(requests, outcomes, client, pager, clock, idempotent=idempotent, revalidation=revalidation)


def _checks(name: str, settings: RestSettings, credentials: CredentialsSettings | None) -> list[Check]:
    here = ("connectors", name)
    return [
        ((*here, "url"), partial(Target, settings.url, {})),
        *(((*here, "query", key), partial(parameter, text)) for key, text in settings.query.items()),
        *(((*here, "headers", key), partial(check_header, key, text)) for key, text in settings.headers.items()),
        ((*here, "body"), partial(_body, settings)),
        *(((*here, "form", key), partial(parameter, text)) for key, text in settings.form.items()),
        ((*here, "form"), partial(_form, settings)),
        ((*here, "lists"), partial(_lists, settings)),
        *(((*here, "statuses", status), partial(_status, status)) for status in settings.statuses),
        *([] if settings.paging is None else paging_checks((*here, "paging"), settings, settings.paging)),
        ((*here, "revalidate"), partial(_revalidate, settings)),
        ((*here, "tls"), partial(_tls, settings)),
        ((*here, "credentials"), partial(_certificate, settings, credentials)),
        *credential_checks(settings.credentials or "", settings.headers, credentials),
    ]


def _body(settings: RestSettings) -> None:
    if not settings.form:
        body_of(settings)
    if settings.body is not None and settings.method in ("GET", "HEAD"):
        raise ValueError(f'a {settings.method} has no body: add method = "POST", or leave the body out')


def _form(settings: RestSettings) -> None:
    if settings.form and settings.body is not None:
        raise ValueError("there is a body already: leave one of the two out")
    if settings.form and settings.method in ("GET", "HEAD"):
        raise ValueError(f'a {settings.method} has no body: add method = "POST", or write query in place of form')


def _lists(settings: RestSettings) -> None:
    if settings.lists and settings.accepts != "xml":
        raise ValueError('lists are of XML: add accepts = "xml", or leave them out')


def _revalidate(settings: RestSettings) -> None:
    if settings.revalidate is None:
        return
    if settings.method != "GET":
        raise ValueError(f"an answer to {settings.method} is not asked for again: leave it out")
    if settings.paging is not None:
        raise ValueError("pages are not remembered: leave one of the two out")
    if marks := {"if-none-match", "if-modified-since"} & {name.lower() for name in settings.headers}:
        raise ValueError(f"the headers have {min(marks)} already: leave one of the two out")


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
