"""A server that shows a certificate and says no more: what a client thinks of it is known before anybody speaks."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from dev.secured import Certificate

PATIENCE = 5.0
"""Seconds that one client has."""


@asynccontextmanager
async def impostor(shown: Certificate) -> AsyncIterator[str]:
    """Its `host:port`. In a thread: whoever is still connecting when it ends must not keep the test's loop."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*shown)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(listener, context), name="impostor", daemon=True)
    thread.start()
    try:
        host, port = listener.getsockname()
        yield f"{host}:{port}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(2 * PATIENCE)
        listener.close()


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    """One client after the other, until the listener is shut."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            connection.settimeout(PATIENCE)
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)
