"""A back end that misbehaves, by name or by a script: for the tests of this project's connectors, and of its users' own."""

from esclusa.testing.hostile.certificates import Certificates
from esclusa.testing.hostile.misbehaviours import MISBEHAVIOURS, Misbehaviour
from esclusa.testing.hostile.peer import Peer, Script, answer
from esclusa.testing.hostile.scripts import always, cut, healthy, once, secured, silent
from esclusa.testing.hostile.server import Hostile, hostile

__all__ = [
    "MISBEHAVIOURS",
    "Certificates",
    "Hostile",
    "Misbehaviour",
    "Peer",
    "Script",
    "always",
    "answer",
    "cut",
    "healthy",
    "hostile",
    "once",
    "secured",
    "silent",
]
