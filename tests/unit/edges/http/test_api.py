"""What is served where."""

from __future__ import annotations

from typing import Any, cast

import pytest

from esclusa.edges.http.api import Applications, make_applications
from esclusa.edges.http.callers import Callers
from esclusa.edges.http.health import Health, Phase
from esclusa.edges.http.settings import ServerSettings
from esclusa.hub.hub import Hub
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from support.asgi import Exchange
from support.fake_hub import FakeHub


def applications(admin: str | None, phase: Phase = Phase.READY, **how: bool) -> Applications:
    clock, instrument = Clock(), Instrument()
    hub, health = cast("Hub", FakeHub(clock)), Health({}, clock, instrument)
    health.phase = phase
    settings = ServerSettings(admin=admin)
    metrics = lambda: ("text/plain", b"1")  # noqa: E731 - an exposition is any callable
    return make_applications(hub, health, metrics, settings, Callers({}), None, clock, Ids(clock), instrument, **how)


async def status(app: Any, path: str) -> int:
    return (await Exchange(app, target=path)()).status


async def test_everything_is_served_to_everybody_unless_there_is_an_administrator() -> None:
    public, admin = applications(None)
    assert admin is None
    for path in ("/api/v1/queries", "/health/live", "/metrics", "/docs", "/openapi.json", "/problems/not-found"):
        assert await status(public, path) in {200, 401}


@pytest.mark.parametrize(
    ("path", "public", "private"),
    [
        ("/health/live", 200, 200),
        ("/health/ready", 200, 200),
        ("/metrics", 404, 200),
        ("/api/v1/queries", 401, 404),
        ("/docs", 200, 404),
    ],
)
async def test_metrics_are_the_administrators(path: str, public: int, private: int) -> None:
    served = applications("127.0.0.1:0")
    assert await status(served.public, path) == public
    assert await status(served.admin, path) == private


async def test_the_document_describes_what_is_served_there() -> None:
    document = await Exchange(applications("127.0.0.1:0").public, target="/openapi.json")()
    assert "/metrics" not in document.json()["paths"]


async def test_a_process_that_takes_no_questions_says_how_things_are_and_no_more() -> None:
    served = applications(None, takes_questions=False)
    for path, expected in (("/health/live", 200), ("/metrics", 200), ("/api/v1/processes", 401), ("/api/v1/requests/x", 404)):
        assert await status(served.public, path) == expected
    document = await Exchange(served.public, target="/openapi.json")()
    assert "/api/v1/requests" not in document.json()["paths"]


async def test_a_process_that_is_starting_says_how_it_is_and_that_who_asks_has_to_come_back() -> None:
    public, _ = applications(None, Phase.STARTING)
    for path, expected in (("/health/live", 200), ("/metrics", 200), ("/docs", 200), ("/health/ready", 503)):
        assert await status(public, path) == expected
    refused = await Exchange(public, target="/api/v1/queries")()
    assert (refused.status, refused.json()["detail"]) == (503, "This process is starting")
