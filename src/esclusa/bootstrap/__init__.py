"""The only package that knows everything: makes every part from the configuration, and wires them.

`bootstrap` is a whole process, run or opened inside one's own program; `patience` has its start wait for storage, `joining`
for its share of the work; `reload` is what changes in it meanwhile, and `watch` sees to files that are renewed. `hub` has the
hub's parts by role, `ports` the ports on the engines that the configuration names, and `runtime` what every part is given.
"""

from esclusa.bootstrap.bootstrap import Application, make_application, open_hub, serve
from esclusa.bootstrap.hub import (
    ROLES,
    HubProcess,
    Role,
    fingerprint,
    make_backends,
    make_connectors,
    make_hub,
    make_setup,
    make_workshop,
)
from esclusa.bootstrap.ports import Engine, Ports, open_ports
from esclusa.bootstrap.runtime import Runtime, freeze_memory

__all__ = [
    "ROLES",
    "Application",
    "Engine",
    "HubProcess",
    "Ports",
    "Role",
    "Runtime",
    "fingerprint",
    "freeze_memory",
    "make_application",
    "make_backends",
    "make_connectors",
    "make_hub",
    "make_setup",
    "make_workshop",
    "open_hub",
    "open_ports",
    "serve",
]
