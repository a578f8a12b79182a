"""Stands in for the service that the command line asks: canned answers on a local socket, as the API gives them."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec

ID = "01a20493-aebe-7c39-9e5f-608cbfabe500"
TITLES = {"dgt": "Dirección General de Tráfico", "padron": "Padrón municipal", "catastro": "Catastro"}


def ok(connector: str, data: Any = None, *, elapsed: int = 250, received: str = "10:20:30.500") -> dict[str, Any]:
    """An answer of `connector`: OK, with `data`, or with none."""
    said = {} if data is None else {"data": data}
    return {
        "connector": connector,
        "title": TITLES.get(connector, connector),
        "state": "ok",
        "attempts": 1,
        "elapsedMs": elapsed,
        "receivedAt": f"2026-11-22T{received}Z",
        **said,
    }


def ko(connector: str, reason: str, detail: str = "") -> dict[str, Any]:
    """An answer of `connector`: KO."""
    called = reason not in ("no_answer", "circuit_open")
    return {
        "connector": connector,
        "title": TITLES.get(connector, connector),
        "state": "ko",
        "reason": reason,
        **({"detail": detail} if detail else {}),
        "attempts": 1 if called else 0,
        "elapsedMs": 3000 if called else None,
        "receivedAt": None if reason == "no_answer" else "2026-11-22T10:20:33.000Z",
    }


def receipt() -> dict[str, Any]:
    """A question that was taken at 10:20:30 and may take ten seconds."""
    return {
        "id": ID,
        "query": "expedientes",
        "createdAt": "2026-11-22T10:20:30.000Z",
        "deadline": "2026-11-22T10:20:40.000Z",
        "expiresAt": "2026-11-22T10:30:30.000Z",
        "statusUrl": f"/api/v1/requests/{ID}",
    }


def result(answers: list[dict[str, Any]], pending: list[str] | None = None) -> dict[str, Any]:
    """What is known of that question; final when nobody is `pending`."""
    more = bool(pending)
    return {
        **{key: value for key, value in receipt().items() if key != "statusUrl"},
        "queryMore": more,
        "complete": not more and all(answer["state"] == "ok" for answer in answers),
        "retryAfterMs": 2000 if more else 0,
        "answers": answers,
        "pending": pending or [],
    }


def problem(name: str, title: str, status: int, **more: Any) -> dict[str, Any]:
    """Problem details."""
    return {"type": f"/problems/{name}", "title": title, "status": status, "traceId": "0" * 32, **more}


class Received(msgspec.Struct):
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(msgspec.Struct):
    """One answer that is given."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = {}


class Stub:
    """Answers as it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._due: dict[tuple[str, str], list[Reply]] = {}

    def replies(self, method: str, path: str, *replies: Reply) -> None:
        """Give these, one after the other, and the last again and again."""
        self._due[method, path] = list(replies)

    def answer_to(self, path: str) -> Any:
        """What is answered to a GET of `path` at present."""
        return self._due["GET", path][0].body

    def answer(self, received: Received) -> Reply:
        """What is due."""
        self.received.append(received)
        due = self._due.get((received.method, received.path))
        if due is None:
            return Reply(problem("not-found", "There is nothing here", 404), 404)
        return due.pop(0) if len(due) > 1 else due[0]


class _Handler(BaseHTTPRequestHandler):
    stub: Stub

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.stub.answer(Received(self.command, self.path, headers, self.rfile.read(length)))
        body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
        self.send_response(reply.status)
        for name, value in {"content-length": str(len(body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _serve  # noqa: N815 - the names that the server calls

    def log_message(self, *_: Any) -> None:
        """It says nothing."""


@contextmanager
def served(stub: Stub, path: Path) -> Iterator[None]:
    """Serve `stub` on the socket `path`, in a thread."""
    handler = type("Handler", (_Handler,), {"stub": stub})
    with socketserver.ThreadingUnixStreamServer(str(path), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
