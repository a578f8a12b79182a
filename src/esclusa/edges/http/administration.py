"""What the operator of this machine does to the process: `/api/v1/reload`. By the local socket alone."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.response.base import ASGIResponse

from esclusa.edges.http import operations
from esclusa.edges.http.callers import OPERATOR, Callers
from esclusa.edges.http.openapi import Route
from esclusa.edges.http.reloaded import Reload
from esclusa.edges.http.wire import reloaded_body
from esclusa.kernel.errors import ConfigurationError, Fault, Forbidden, InvalidConfiguration


class Administration:
    """Changing the process while it runs (H40)."""

    def __init__(self, reload: Reload, callers: Callers) -> None:
        self._reload = reload
        self._callers = callers

    def routes(self) -> list[Route]:
        """What is served here."""
        return [Route(operations.RELOAD, self.reload)]

    async def reload(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """Take the configuration anew."""
        if self._callers.of(request.scope) is not OPERATOR:
            raise Forbidden("Only the operator of the machine can do this, by the local socket: esclusa reload")
        try:
            return ASGIResponse(body=reloaded_body(await self._reload()))
        except ConfigurationError as error:
            faults = tuple(Fault("", str(mistake)) for mistake in error.mistakes)
            raise InvalidConfiguration(faults=faults) from error
