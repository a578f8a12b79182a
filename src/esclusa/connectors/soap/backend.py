"""A SOAP service as a back end."""

from __future__ import annotations

from functools import partial

from esclusa.connectors.backend import Abort, Backend, Done, Outcome, Question, Reason
from esclusa.connectors.http.client import Client, make_client
from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.envelope import Envelopes
from esclusa.connectors.soap.outcome import Outcomes
from esclusa.connectors.soap.security import Security
from esclusa.connectors.soap.settings import SoapSettings
from esclusa.connectors.transport import HttpError, InvalidRequest, Response
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import UnusableSettings


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
        return self._client.send(request, by, partial(self._ended, done)).abort

    async def close(self) -> None:
        """As `Backend.close`."""
        await self._client.close()

    def _ended(self, done: Done, ending: Response | HttpError) -> None:
        done(self._outcomes.read(ending))


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
