"""A back end that misbehaves, by name: for the tests of this project's connectors, and of its users' own."""

from esclusa.testing.hostile.misbehaviours import MISBEHAVIOURS, Misbehaviour
from esclusa.testing.hostile.server import Hostile, hostile

__all__ = ["MISBEHAVIOURS", "Hostile", "Misbehaviour", "hostile"]
