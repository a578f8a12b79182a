"""For balancers and monitors: `/health/live`, `/health/ready`, `/metrics`. None needs a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.response.base import ASGIResponse

from esclusa.edges.http import operations
from esclusa.edges.http.health import Health, Phase
from esclusa.edges.http.openapi import Route
from esclusa.edges.http.wire import health_body
from esclusa.kernel.errors import Unavailable

Exposition = Callable[[], tuple[str, bytes]]
"""The metrics of the process: the media type and the text."""


class Probes:
    """The probes of one listener."""

    def __init__(self, health: Health, metrics: Exposition, *, reasons: bool) -> None:
        """`reasons`: whether this listener is where metrics and the reasons of health are told."""
        self._health = health
        self._metrics = metrics
        self._reasons = reasons

    def routes(self) -> list[Route]:
        """What is served here."""
        routes = [Route(operations.LIVE, self.live), Route(operations.READY, self.ready)]
        return [*routes, Route(operations.METRICS, self.metrics)] if self._reasons else routes

    async def live(self, _: Request[Any, Any, Any]) -> ASGIResponse:
        """Whoever can answer lives."""
        return ASGIResponse(body=health_body("live"))

    async def ready(self, _: Request[Any, Any, Any]) -> ASGIResponse:
        """Whether to send it requests."""
        phase, waits_for = self._health.phase, self._health.waits_for
        if phase is Phase.STARTING and waits_for and self._reasons:
            raise Unavailable(f"This process is starting: {waits_for}")
        if phase is not Phase.READY:
            raise Unavailable(f"This process is {phase.value}")
        losses = self._health.losses
        return ASGIResponse(body=health_body("degraded" if losses else "ready", losses if self._reasons and losses else None))

    async def metrics(self, _: Request[Any, Any, Any]) -> ASGIResponse:
        """Everything that is counted."""
        media, text = self._metrics()
        return ASGIResponse(body=text, headers={"content-type": media})
