"""A back end without an event loop: what it does is done when its method returns, before the client's loop can turn."""

from __future__ import annotations

import socket

from esclusa.connectors.transport import Origin


class Listener:
    """Listens on a free port of 127.0.0.1; each call blocks for 10 seconds at most."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(10)
        self.accepted: list[socket.socket] = []

    @property
    def origin(self) -> Origin:
        """Where it is."""
        return Origin("http", "127.0.0.1", self.listening.getsockname()[1])

    def accept(self) -> socket.socket:
        """The next connection."""
        peer, _ = self.listening.accept()
        peer.settimeout(10)
        self.accepted.append(peer)
        return peer

    def close(self) -> None:
        """End it all."""
        for peer in self.accepted:
            peer.close()
        self.listening.close()
