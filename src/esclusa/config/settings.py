"""What a configuration says: every table of the file, and those that belong to no capability: `[esclusa]` and `[log]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from esclusa.connectors.protocols import AnyConnectorSettings
from esclusa.connectors.settings import CredentialsSettings
from esclusa.edges.http.settings import ClientSettings, ServerSettings
from esclusa.engines.cassandra.settings import CassandraSettings
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.kernel.settings import FilePath, Settings


class EsclusaSettings(Settings, frozen=True, kw_only=True):
    """What the whole process stands on."""

    engine: str = "embedded"
    """What stores everything: `embedded` (files, nothing to install) or `memory` (nothing outlives the process)."""
    log: str | None = None
    """The engine of the log, where it is not `engine`: `kafka`."""
    records: str | None = None
    """The engine of the records, where it is not `engine`: `cassandra`."""
    keys: str | None = None
    """The engine of the keys, where it is not that of the records."""
    data: FilePath = "esclusa-data"
    """The folder of the embedded engine; made if absent, readable by its owner only."""
    include: list[str] = []
    """More files, or patterns such as `"conf.d/*.toml"`, from the folder of this file; a table stands in one file only."""
    environment: str | None = None
    """Which `[connectors.NAME.environments]` are laid over their connectors."""


class LogSettings(Settings, frozen=True, kw_only=True):
    """What is logged, to standard error."""

    level: Literal["debug", "info", "warn", "error"] = "info"
    """The least that is logged; `info` is a line a call and a line a request."""
    format: Literal["auto", "json", "console"] = "auto"
    """`json`: an object a line, for machines; `console`: for reading; `auto`: `console` on a terminal, `json` elsewhere."""


class Configuration(Settings, frozen=True, kw_only=True):
    """A checked configuration: paths absolute, variables filled in, the environment laid over, every name known."""

    esclusa: EsclusaSettings = EsclusaSettings()
    server: ServerSettings = ServerSettings()
    clients: dict[str, ClientSettings] = {}
    connectors: Mapping[str, AnyConnectorSettings] = {}
    credentials: dict[str, CredentialsSettings] = {}
    queries: dict[str, QuerySettings] = {}
    pools: dict[str, PoolSettings] = {}
    """The pool `default` is among them, declared or not."""
    hub: HubSettings = HubSettings()
    log: LogSettings = LogSettings()
    kafka: KafkaSettings | None = None
    cassandra: CassandraSettings | None = None
