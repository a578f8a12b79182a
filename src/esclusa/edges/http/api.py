"""What is served where: the API to whoever reaches it, metrics and the reasons of health to the administrator."""

from __future__ import annotations

from typing import Any, NamedTuple

from litestar import Request
from litestar.response.base import ASGIResponse

import esclusa
from esclusa.edges.http.administration import Administration
from esclusa.edges.http.app import make_app
from esclusa.edges.http.callers import Callers
from esclusa.edges.http.front import Front
from esclusa.edges.http.health import Health
from esclusa.edges.http.inventory import Inventory
from esclusa.edges.http.openapi import Handler, Route
from esclusa.edges.http.pages import Pages
from esclusa.edges.http.probes import Exposition, Probes
from esclusa.edges.http.reloaded import Reload
from esclusa.edges.http.requests import Requests
from esclusa.edges.http.settings import ServerSettings
from esclusa.hub.hub import Hub
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument


class Applications(NamedTuple):
    """The ASGI applications of a process."""

    public: Front
    """For `[server] listen`, and for the operator's socket."""
    admin: Front | None
    """For `[server] admin`; None: its routes are part of `public`."""


def make_applications(
    hub: Hub,
    health: Health,
    metrics: Exposition,
    settings: ServerSettings,
    callers: Callers,
    reload: Reload | None,
    clock: Clock,
    ids: Ids,
    instrument: Instrument,
    *,
    takes_questions: bool = True,
) -> Applications:
    """The API over `hub`, for `callers`. `reload`: what takes the configuration anew, where that can be done.

    A process that does not take questions says how it and the others are, and no more. One that is starting says how it is
    itself, and that it is starting.
    """
    private = Probes(health, metrics, reasons=True)
    probes = private if settings.admin is None else Probes(health, metrics, reasons=False)
    routes = Inventory(hub, callers).routes()
    if takes_questions:
        routes = [*Requests(hub, callers, clock).routes(), *routes]
    routes = [*(Route(operation, _once_started(health, handler)) for operation, handler in routes), *probes.routes()]
    if reload is not None:
        routes += Administration(reload, callers).routes()

    def app(served: list[Route]) -> Front:
        return make_app(served, settings, clock, ids, instrument)

    pages = Pages(routes, esclusa.__version__)
    return Applications(app([*routes, *pages.routes()]), None if settings.admin is None else app(private.routes()))


def _once_started(health: Health, handler: Handler) -> Handler:
    """What needs storage: until that is there, whoever asks is told to come back."""

    async def handle(request: Request[Any, Any, Any]) -> ASGIResponse:
        health.check_started()
        return await handler(request)

    return handle
