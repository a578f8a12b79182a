"""An ASGI application, called without a server: in virtual time too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec


class Heard(msgspec.Struct):
    """What an application has answered."""

    status: int = 0
    headers: dict[str, str] = {}
    pieces: list[bytes] = []
    over: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Exchange:
    """One request. The caller goes away when told to: `leave`."""

    def __init__(
        self,
        app: Callable[..., Any],
        method: str = "GET",
        target: str = "/",
        headers: Mapping[str, str] | None = None,
        body: Sequence[bytes] = (b"",),
        *,
        whole: bool = True,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """`body`: its pieces; unless `whole`, there would be more, which do not come."""
        path, _, query = target.partition("?")
        self.heard = Heard()
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "state": dict(state or {}),
        }
        self._app = app
        self._pieces = list(body)
        self._whole = whole
        self._gone = asyncio.Event()

    def leave(self) -> None:
        self._gone.set()

    async def __call__(self) -> Heard:
        await self._app(self.scope, self._receive, self._send)
        return self.heard

    async def _receive(self) -> dict[str, Any]:
        if self._pieces:
            piece = self._pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces) or not self._whole}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.heard.status = message["status"]
            self.heard.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.heard.pieces.append(message["body"])
            self.heard.over = not message["more_body"]
