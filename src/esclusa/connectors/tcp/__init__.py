"""Framed TCP: a question as a text on a connection, its answer up to where its frame ends (H10)."""

from esclusa.connectors.tcp.settings import TcpSettings
from esclusa.connectors.tcp.tcp import TCP

__all__ = ["TCP", "TcpSettings"]
