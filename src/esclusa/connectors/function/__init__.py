"""A Python function in place of a back end: for what no protocol reaches (H10)."""

from esclusa.connectors.function.function import FUNCTION
from esclusa.connectors.function.settings import FunctionSettings

__all__ = ["FUNCTION", "FunctionSettings"]
