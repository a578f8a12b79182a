"""The page that adds a protocol: its module runs as it stands there."""

from __future__ import annotations

import asyncio
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "protocol.md"


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module on the page."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    module = types.ModuleType("archive_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, str(PAGE), "exec"), vars(module))  # noqa: S102 - it is what the page is for
    return module


async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An archive as the page draws it; it says nothing to `HANGS`."""
    writer.write(b"220 archive ready\r\n")
    assert await reader.readline() == b"USER sede\r\n"
    writer.write(b"230 welcome\r\n")
    asked = (await reader.readline()).split()[1]
    if asked != b"HANGS":
        said = {b"12345678Z": b"250 licence of 2019; licence of 2021\r\n", b"NOBODY": b"550 nobody\r\n"}
        writer.write(said.get(asked, b"500 what?\r\n"))
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("subject", "reason", "data"),
    [
        ("12345678Z", None, b'["licence of 2019","licence of 2021"]'),
        ("NOBODY", None, None),
        ("ANOTHER", Reason.BACKEND_ERROR, None),
        ("HANGS", Reason.BACKEND_TIMEOUT, None),
        ("A\r\nDELETE B", Reason.BACKEND_ERROR, None),
    ],
)
async def test_what_the_page_adds_works(archive: Any, subject: str, reason: Reason | None, data: bytes | None) -> None:
    server = await asyncio.start_server(play, "127.0.0.1", 0)
    settings = archive.ArchiveSettings(
        host="127.0.0.1", port=server.sockets[0].getsockname()[1], user="sede", timeout=Duration(0.2)
    )
    clock = Clock()
    workshop = Workshop(clock, Ids(clock), 1000, Contexts())
    backend = archive.ARCHIVE.make("archive", settings, None, workshop)
    connector = Connector("archive", backend, settings, clock, Ids(clock), Instrument())
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    question = Question("01890a5d-ac96-774b-bcce-b302099a8057", "licences", subject, {})
    connector.offer(question, clock.now() + 20, answered.set_result)
    answer = await answered
    assert (answer.reason, answer.data) == (reason, data)
    await connector.close()
    server.close()
