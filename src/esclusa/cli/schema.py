"""`esclusa config schema`: what an editor needs to help with the configuration file."""

from __future__ import annotations

from esclusa.cli.exits import Exit
from esclusa.cli.output import document
from esclusa.config.config import schema as schema_of_configuration


def schema() -> int:
    """Print the JSON Schema of the configuration file, for editors.

    For example:

        esclusa config schema > esclusa.schema.json
    """
    document(schema_of_configuration())
    return Exit.DONE
