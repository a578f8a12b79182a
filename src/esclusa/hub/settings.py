"""What the configuration says of the hub: `[queries.NAME]`, `[pools.NAME]`, `[hub]`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from esclusa.kernel.duration import Duration
from esclusa.kernel.settings import Positive, Settings

ParamType = Literal["date", "dateRange", "province", "text", "number", "nif"]


class ParamSettings(Settings, frozen=True, kw_only=True):
    """A parameter that a query takes."""

    type: ParamType
    """`date`: `2026-01-31`; `dateRange`: `{"from": ..., "to": ...}`; `province`: `01` to `52`; `nif`: a NIF or NIE."""
    title: str = ""
    """What people are shown."""
    required: bool = False
    """Whether a request must have it."""
    max: Positive | None = None
    """`text`: characters; `number`: the largest; `dateRange`: days."""


LAST_LOOK = 5.0
"""Seconds after its deadline that a request can be read at least: else nobody could see its final state."""


class QuerySettings(Settings, frozen=True, kw_only=True):
    """A declared kind of question."""

    title: str = ""
    """What people are shown."""
    ttl: Duration = Duration(60)
    """How long the user waits: creation plus this is the deadline."""
    keep: Duration = Duration(600)
    """How long results can be read, from creation; then nothing is left. Never less than `ttl` and five seconds."""
    refresh: Duration = Duration(2)
    """How long a poller is told to wait before it asks again."""
    connectors: list[str] = msgspec.field(default_factory=lambda: ["*"])
    """Names, `#tag`, or `*` for all."""
    subject: str = "nif"
    """`nif` (NIF or NIE, checked), `text`, or a regular expression that the whole subject matches."""
    params: dict[str, ParamSettings] = {}
    """What a request may say beside its subject, by name."""

    @property
    def kept(self) -> float:
        """Seconds for which results can be read, from creation: `keep`, but at least for `LAST_LOOK` after the deadline."""
        return max(self.keep, self.ttl + LAST_LOOK)


class PoolSettings(Settings, frozen=True, kw_only=True):
    """Connectors that share a pair of topics, processes and, unless told otherwise, a consumer group."""

    consumers: Literal["pool", "connector"] = "pool"
    """Who reads the topics: one consumer a process for all its connectors, or each connector by itself."""
    partitions: Annotated[int, Meta(ge=1, le=1024)] = 8
    """Of each of its two topics: how many processes can share its work."""


class HubSettings(Settings, frozen=True, kw_only=True):
    """How the hub keeps its promises."""

    settle: Duration = Duration(1)
    """Nothing is called in the last `settle` (at most a quarter of the ttl) before a deadline."""
    skew: Duration = Duration(1)
    """By how much the clocks of two processes may differ."""
    drain: Duration = Duration(5)
    """How long calls in flight may go on when a partition is taken away or the process ends."""
    max_open_per_subject: Positive = 5
    """Open requests of one subject, in one process; beyond: 429."""
    max_open: Positive = 20_000
    """Open requests that one process has accepted; beyond: 503."""
    lines_bytes: Positive = 64 * 1024 * 1024
    """What the lines of all connectors may hold in a process; beyond, consuming pauses."""
    max_answer: Positive = 256 * 1024
    """Bytes of one answer's data; beyond: KO `backend_error`."""
    max_request: Positive = 8 * 1024 * 1024
    """Bytes of the data of all answers of one request; beyond: KO `backend_error`. Pools share it, by their connectors."""
