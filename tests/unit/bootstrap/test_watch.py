"""Secrets and certificates that are renewed in their files are taken by a process that runs (H12, H40)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from esclusa.bootstrap import Runtime, make_application
from esclusa.bootstrap.reload import Reload
from esclusa.bootstrap.watch import EVERY, SETTLING, Watch
from esclusa.config.config import ConfigurationText
from esclusa.connectors.settings import BearerCredentials
from esclusa.kernel.instrument import Level
from support.sink import Sink
from unit.connectors.transport.calling import until
from unit.connectors.transport.hand_clock import HandClock

TEXT = """
[esclusa]
engine = "memory"
[credentials.a]
kind = "bearer"
token = "${file:token}"
[connectors.a]
url = "https://a.example/{subject}"
credentials = "a"
tls = { ca = "ca.pem" }
[connectors.b]
url = "https://b.example/{subject}"
[queries.q]
"""


class Scene:
    """A process of a folder whose files change."""

    def __init__(self, reload: Reload, clock: HandClock, logged: Sink) -> None:
        self.reload = reload
        self.clock = clock
        self.logged = logged

    @property
    def token(self) -> str:
        credentials = self.reload.configuration.credentials["a"]
        assert isinstance(credentials, BearerCredentials)
        return credentials.token

    def said(self, event: str) -> list[dict[str, Any]]:
        return self.logged.facts(event)

    async def looks(self) -> None:
        """The next look, to its end: the one after it is set."""
        self.clock.move(EVERY)
        await until(lambda: self.clock.timers == 1)
        await self.settles()

    async def settles(self) -> None:
        """Nobody writes any more."""
        while self.clock.rest <= SETTLING:
            self.clock.move(SETTLING)
            await until(lambda: self.clock.timers == 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "esclusa.toml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "token").write_text("one\n", encoding="utf-8")
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    file = folder / "esclusa.toml"
    text = ConfigurationText(file, {})
    logged = Sink()
    application = make_application(text.configuration(), Runtime.real(logged.instrument(Level.INFO)), text=text)
    async with application.lifecycle:
        assert application.reload is not None
        clock = HandClock()
        watch = Watch(application.reload, clock)
        await watch.start()
        await until(lambda: clock.timers == 1)
        try:
            yield Scene(application.reload, clock, logged)
        finally:
            await watch.drain()
            await watch.stop()


async def test_a_secret_that_is_another_in_its_file_is_taken(folder: Path) -> None:
    async with scene(folder) as it:
        assert it.token == "one"
        (folder / "next").write_text("two", encoding="utf-8")
        (folder / "next").replace(folder / "token")
        await it.looks()
        assert it.token == "two"
        (taken,) = it.said("configuration taken")
        assert taken["changed"] == ["credentials.a"]
        assert "two" not in str(it.logged)


async def test_a_certificate_that_is_another_under_the_same_path_is_taken_by_those_that_name_it(folder: Path) -> None:
    async with scene(folder) as it:
        trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
        await it.looks()
        (taken,) = it.said("configuration taken")
        assert taken["changed"] == ["connectors.a"]


async def test_where_nothing_changes_nothing_is_read(folder: Path) -> None:
    async with scene(folder) as it:
        for _ in range(3):
            await it.looks()
        assert it.said("configuration taken") == []


async def test_the_configuration_itself_waits_until_somebody_says_so(folder: Path) -> None:
    async with scene(folder) as it:
        (folder / "esclusa.toml").write_text(TEXT + "title = 'Other'", encoding="utf-8")
        await it.looks()
        assert it.said("configuration taken") == []


async def test_a_renewed_secret_does_not_bring_a_changed_configuration_along(folder: Path) -> None:
    async with scene(folder) as it:
        (folder / "other").write_text("x", encoding="utf-8")
        more = "\n[credentials.b]\nkind = 'bearer'\ntoken = '${file:other}'\n[clients.\0]"
        (folder / "esclusa.toml").write_text(TEXT.replace("b.example", "mock.example") + more, encoding="utf-8")
        (folder / "token").write_text("two", encoding="utf-8")
        await it.looks()
        assert it.token == "two"
        (taken,) = it.said("configuration taken")
        assert (taken["added"], taken["changed"]) == ([], ["credentials.a"])


async def test_what_needs_a_restart_keeps_nothing_else_from_being_renewed(folder: Path) -> None:
    (folder / "esclusa.toml").write_text(TEXT + "[log]\nformat = '${file:format}'", encoding="utf-8")
    (folder / "format").write_text("json", encoding="utf-8")
    async with scene(folder) as it:
        (folder / "format").write_text("console", encoding="utf-8")
        await it.looks()
        (told,) = it.said("renewed in its file, which needs a restart")
        assert told["keys"] == ["log.format"]
        (folder / "token").write_text("two", encoding="utf-8")
        await it.looks()
        assert it.token == "two"
        assert it.reload.configuration.log.format == "json"


async def test_half_a_secret_is_not_taken(folder: Path) -> None:
    async with scene(folder) as it:
        (folder / "token").write_text("", encoding="utf-8")
        it.clock.move(EVERY)
        await until(lambda: it.clock.timers == 1)
        (folder / "token").write_text("hal", encoding="utf-8")
        it.clock.move(SETTLING)
        await until(lambda: it.clock.timers == 1)
        (folder / "token").write_text("half and half", encoding="utf-8")
        await it.settles()
        assert it.token == "half and half"
        assert len(it.said("configuration taken")) == 1
        assert it.said("configuration refused, the one before stays") == []


async def test_what_changes_before_the_process_is_ready_is_taken(folder: Path) -> None:
    text = ConfigurationText(folder / "esclusa.toml", {})
    logged = Sink()
    application = make_application(text.configuration(), Runtime.real(logged.instrument(Level.INFO)), text=text)
    assert application.reload is not None
    clock = HandClock()
    watch = Watch(application.reload, clock)
    (folder / "token").write_text("while it waited", encoding="utf-8")
    async with application.lifecycle:
        await watch.start()
        await until(lambda: clock.timers == 1)
        it = Scene(application.reload, clock, logged)
        await it.looks()
        assert it.token == "while it waited"
        await watch.stop()


async def test_a_file_that_cannot_be_used_changes_nothing_and_once_it_can_it_is_taken(folder: Path) -> None:
    async with scene(folder) as it:
        (folder / "ca.pem").write_text("half of a certif", encoding="utf-8")
        (folder / "token").unlink()
        await it.looks()
        assert it.token == "one"
        (refused,) = it.said("configuration refused, the one before stays")
        assert "can't be read" in str(refused["mistakes"])
        await it.looks()
        assert len(it.said("configuration refused, the one before stays")) == 1, "it is told once"
        (folder / "token").write_text("three", encoding="utf-8")
        trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
        await it.looks()
        assert it.token == "three"


async def test_a_process_that_can_take_its_configuration_anew_looks_by_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esclusa.bootstrap.watch.EVERY", 0.01)
    file = folder / "esclusa.toml"
    text = ConfigurationText(file, {})
    runtime = Runtime.real(Sink().instrument(Level.INFO))
    application = make_application(text.configuration(), runtime, text=text)
    async with application.lifecycle:
        assert application.reload is not None
        reload = application.reload
        (folder / "token").write_text("two two", encoding="utf-8")
        async with asyncio.timeout(20):
            await until(lambda: "two two" in str(getattr(reload.configuration.credentials["a"], "token", "")))
