"""What may be asked, of whom, and how they are: `/api/v1/queries`, `/connectors`, `/processes`, `/pools`. For any client."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.response.base import ASGIResponse

from esclusa.edges.http import operations
from esclusa.edges.http.callers import Callers
from esclusa.edges.http.inventory_wire import connectors_body, pools_body, processes_body, queries_body
from esclusa.edges.http.openapi import Route
from esclusa.hub.hub import Hub


class Inventory:
    """The inventory of the hub, and what its processes say of it (H4, H40)."""

    def __init__(self, hub: Hub, callers: Callers) -> None:
        self._hub = hub
        self._callers = callers

    def routes(self) -> list[Route]:
        """What is served here."""
        return [
            Route(operations.QUERIES, self.queries),
            Route(operations.CONNECTORS, self.connectors),
            Route(operations.PROCESSES, self.processes),
            Route(operations.POOLS, self.pools),
        ]

    async def queries(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """What may be asked."""
        self._callers.of(request.scope)
        return ASGIResponse(body=queries_body(self._hub.queries()))

    async def connectors(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """The back ends and how they are."""
        self._callers.of(request.scope)
        return ASGIResponse(body=connectors_body(await self._hub.connectors()))

    async def processes(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """Who serves them."""
        self._callers.of(request.scope)
        return ASGIResponse(body=processes_body(await self._hub.processes()))

    async def pools(self, request: Request[Any, Any, Any]) -> ASGIResponse:
        """How far behind their pools are."""
        self._callers.of(request.scope)
        return ASGIResponse(body=pools_body(await self._hub.pools()))
