"""The engines that a configuration names, and the topics that they have to have."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from esclusa.bootstrap import Engine, Runtime, make_setup, open_ports
from esclusa.config.config import Configuration
from esclusa.config.engines import PORTS, named_engine
from esclusa.ports.log import Topic


class ConfiguredEngines(msgspec.Struct, frozen=True):
    """The engines of a configuration, none of them started. Make it inside a running event loop."""

    engines: Sequence[tuple[str, Engine]]
    """Each once, with its name as the configuration says it."""
    topics: Sequence[Topic]

    @classmethod
    def of(cls, configuration: Configuration) -> ConfiguredEngines:
        """Those of `configuration`, with the topics of all its pools."""
        ports = open_ports(configuration, Runtime.real())
        names = {id(ports.by_port[port]): named_engine(configuration.esclusa, port) for port in reversed(PORTS)}
        return cls([(names[id(engine)], engine) for engine in ports.engines], make_setup(configuration, ports).topics)
