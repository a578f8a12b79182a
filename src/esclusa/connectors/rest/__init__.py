"""REST: a question as an HTTP request, its answer as JSON, XML or text (H10)."""

from esclusa.connectors.rest.rest import REST
from esclusa.connectors.rest.settings import RestSettings

__all__ = ["REST", "RestSettings"]
