"""The engine `memory`: every port, nothing kept beyond the process. For tests, and for trying things out.

It passes the same exams as the durable engines, so it is a fake that can be trusted. Several processes, each with a
clock of its own, can share one memory (`MemoryEngine.beside`), and each can be killed (`MemoryEngine.kill`).
"""

from esclusa.engines.memory.memory import MemoryEngine
from esclusa.engines.memory.world import World

__all__ = ["MemoryEngine", "World"]
