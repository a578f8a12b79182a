"""What the configuration says of a connector with `protocol = "function"`."""

from __future__ import annotations

from esclusa.connectors.settings import ConnectorSettings


class FunctionSettings(ConnectorSettings, frozen=True, kw_only=True, tag="function"):
    """A back end that a Python function asks, or is."""

    function: str
    """`package.module:function`, called with the question: `async def`, or a plain one, which gets a thread of its own."""
    idempotent: bool = False
    """Whether it may be called again, or cut, without harm."""

    @property
    def address(self) -> str:
        """As in the base."""
        return self.function
