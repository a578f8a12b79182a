"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

FILE = Path("esclusa.toml")
"""The configuration unless another is named."""

ConfigurationFile = Annotated[Path, Parameter(help="The configuration; esclusa.toml unless given.")]
Json = Annotated[bool, Parameter(help="One JSON document on standard output, and nothing else.")]
Config = Annotated[
    Path, Parameter(name="--config", help="The configuration whose process is asked; esclusa.toml unless given.")
]
Url = Annotated[str | None, Parameter(help="Ask the service at this address instead of a process of this machine.")]
Key = Annotated[str | None, Parameter(env_var="ESCLUSA_KEY", help="What that service knows this client by.")]
