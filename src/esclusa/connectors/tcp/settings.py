"""What the configuration says of a connector with `protocol = "tcp"`."""

from __future__ import annotations

from typing import ClassVar, Literal

from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.settings import ConnectorSettings
from esclusa.kernel.settings import Positive, Settings


class DelimiterSettings(Settings, frozen=True, kw_only=True, tag_field="by", tag="delimiter"):
    """A message ends with a text."""

    delimiter: str = "\n"
    """The text; `"\\r\\n"` and the like."""


class LengthSettings(Settings, frozen=True, kw_only=True, tag_field="by", tag="length"):
    """A message begins with its length, in binary or as digits."""

    size: Positive = 4
    """Bytes of the length."""
    order: Literal["big", "little", "digits"] = "big"
    """Which of its bytes comes first; `digits`: it is written in ASCII."""
    whole: bool = False
    """Whether it counts itself."""


class FixedSettings(Settings, frozen=True, kw_only=True, tag_field="by", tag="fixed"):
    """Every message has the same length; a shorter request is filled up with spaces."""

    size: Positive
    """Bytes."""


class CloseSettings(Settings, frozen=True, kw_only=True, tag_field="by", tag="close"):
    """An answer ends where the connection does; the request is sent as it stands."""


class FunctionFrameSettings(Settings, frozen=True, kw_only=True, tag_field="by", tag="function"):
    """A function finds where an answer ends; the request is sent as it stands."""

    function: str
    """`package.module:function`, called with the bytes so far; returns how many are the answer, None while there are more."""


FrameSettings = DelimiterSettings | LengthSettings | FixedSettings | CloseSettings | FunctionFrameSettings


class TcpSettings(ConnectorSettings, frozen=True, kw_only=True, tag="tcp"):
    """A back end that is sent a text over TCP, and answers with one."""

    templates: ClassVar[tuple[str, ...]] = ("request", *ConnectorSettings.templates)

    host: str
    """A name or an address."""
    port: Positive
    """From 1 to 65535."""
    request: str
    """What is sent, with placeholders; a value with a control character, or with one of `reserved`, is not sent."""
    reserved: str = ""
    """Characters that mean something in a request, such as `;`, which no value may have therefore."""
    encoding: str = "utf-8"
    """Of request and answer: `latin-1`, `cp037`, or any other charset that Python knows."""
    frame: FrameSettings = DelimiterSettings()
    """How messages are told apart."""
    answer: str | None = None
    """The form of an answer, `"OK {name};{since}"`: what stands in each place becomes a member of `data`.

    Or `package.module:function`, called with the text. Unless given, `data` is the text.
    """
    empty: list[str] = []
    """Forms of answers that say that there is nothing about the subject."""
    keep: bool = True
    """Whether a connection serves one call after another; not where its end is the answer's."""
    idempotent: bool = False
    """Whether it may be asked again, or cut, without harm."""
    secure: bool = False
    """Whether TLS is spoken."""
    tls: TlsSettings = TlsSettings()
    """Whom to trust then."""

    @property
    def address(self) -> str:
        """As in the base."""
        return f"{self.host}:{self.port}"
