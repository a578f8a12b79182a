"""A SOAP service as a back end."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from esclusa.connectors.backend import Abort, Backend, Done, Outcome, Question, Reason
from esclusa.connectors.http.client import Client, make_client
from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.envelope import Envelopes
from esclusa.connectors.soap.outcome import Costly, Outcomes
from esclusa.connectors.soap.security import Security
from esclusa.connectors.soap.settings import SoapSettings
from esclusa.connectors.transport import HttpError, InvalidRequest, Request, Response
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import UnusableSettings

LARGE = 16 * 1024
"""Bytes of an answer beyond which it is read in a thread: what zeep takes for its elements, the loop can't spare."""
EXPANDED = 64 * 1024
"""The same of what references make of it."""
_READERS = ThreadPoolExecutor(2, thread_name_prefix="soap")
"""Read large answers. Few threads: one at a time runs Python; and none that others wait for."""

_LATE = Outcome(reason=Reason.BACKEND_TIMEOUT, detail="Its answer could not be read in time", failure=True)


class SoapBackend:
    """A back end that is asked with an envelope over HTTP and answers with one."""

    def __init__(self, envelopes: Envelopes, outcomes: Outcomes, client: Client, clock: Clock, *, idempotent: bool) -> None:
        """`idempotent`: whether a call may be cut or made again without harm. The client is closed with the back end."""
        self._envelopes = envelopes
        self._outcomes = outcomes
        self._client = client
        self._clock = clock
        self._idempotent = idempotent

    @property
    def idempotent(self) -> bool:
        """As given when this was made."""
        return self._idempotent

    def ask(self, question: Question, by: float, done: Done) -> Abort:
        """As `Backend.ask`. What can't be put into an envelope is a `BACKEND_ERROR`; nothing is sent then."""
        try:
            request = self._envelopes.make(question)
        except (ValueError, InvalidRequest) as error:
            outcome = Outcome(reason=Reason.BACKEND_ERROR, detail=f"It can't be asked this: {error}")
            return self._clock.call_at(0.0, done, outcome).cancel
        return _Call(self._client, self._outcomes, self._clock, request, by, done).abort

    async def close(self) -> None:
        """As `Backend.close`."""
        await self._client.close()


class _Call:
    """One attempt: a call, and the reading of its answer, which may be done in a thread."""

    __slots__ = ("_by", "_clock", "_done", "_outcomes", "_reading", "_sent", "_timer")

    def __init__(self, client: Client, outcomes: Outcomes, clock: Clock, request: Request, by: float, done: Done) -> None:
        self._outcomes = outcomes
        self._clock = clock
        self._by = by
        self._done: Done | None = done
        self._reading: asyncio.Future[bytes | Outcome] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sent = client.send(request, by, self._ended)

    def abort(self) -> None:
        """As what `Backend.ask` returns. What is being read comes to its end, and nobody hears of it."""
        self._done = None
        self._sent.abort()
        self._over()

    def _ended(self, ending: Response | HttpError) -> None:
        if isinstance(ending, Response) and len(ending.body) > LARGE:
            self._read_beside(ending)
            return
        try:
            said = self._outcomes.said(ending, EXPANDED)
        except Costly:
            self._read_beside(ending)
        else:
            self._end(said)

    def _read_beside(self, ending: Response | HttpError) -> None:
        self._timer = self._clock.call_at(self._by, self._late)
        self._reading = asyncio.get_running_loop().run_in_executor(_READERS, self._outcomes.said, ending)
        self._reading.add_done_callback(self._read)

    def _read(self, reading: asyncio.Future[bytes | Outcome]) -> None:
        if not reading.cancelled():
            self._end(reading.result())

    def _late(self) -> None:
        self._timer = None
        self._end(_LATE)

    def _end(self, said: bytes | Outcome) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._over()
            done(said if isinstance(said, Outcome) else self._outcomes.shaped(said))

    def _over(self) -> None:
        """Nothing is waited for any more; what no thread has begun to read is not read."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._reading is not None:
            self._reading.cancel()


def described(name: str, settings: SoapSettings, workshop: Workshop) -> Description:
    """As `ConnectorProtocol.prepare`: what the WSDL says."""
    fetching = workshop.contexts.dial(settings.wsdl, settings, None, name)
    return Description(name, settings, workshop.clock.ticks, fetching)


def made(name: str, settings: SoapSettings, credentials: CredentialsSettings | None, workshop: Workshop) -> Backend:
    """As `ConnectorProtocol.make`. Unless it is prepared, the WSDL is read, which for a URL may take up to `documents.LONGEST`."""
    clock = workshop.clock
    description = workshop.prepared.get(name) or described(name, settings, workshop)
    if isinstance(credentials, CertificateCredentials) and not is_secure(description.url):
        raise UnusableSettings(("connectors", name, "credentials"), "the URL is not https: no certificate can be shown")
    security = None if settings.security is None else Security(settings.security, name, workshop.ids)
    envelopes = Envelopes(name, settings, credentials, description, security, clock, workshop.ids)
    client = make_client(description.url, name, settings, credentials, workshop)
    transform = workshop.transform(settings)
    outcomes = Outcomes(settings, description, transform, workshop.max_answer, clock)
    return SoapBackend(envelopes, outcomes, client, clock, idempotent=settings.idempotent)
