"""REST: a question as an HTTP request, its answer as JSON (H10)."""

from __future__ import annotations

from functools import partial

from esclusa.connectors.backend import Abort, Done, Outcome, Question, Reason
from esclusa.connectors.http_outcome import Outcomes
from esclusa.connectors.http_request import Requests
from esclusa.connectors.transport import HttpClient, HttpError, InvalidRequest, Response
from esclusa.kernel.clock import Clock


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
        """As it was made."""
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
