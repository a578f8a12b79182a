"""One file and the environment become each capability's settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import msgspec

from esclusa.config.document import Document
from esclusa.config.draft import Draft
from esclusa.config.environments import environments, in_environment
from esclusa.config.findings import Findings
from esclusa.config.rules import check
from esclusa.config.schema import schema
from esclusa.config.settings import Configuration
from esclusa.config.shape import shaped
from esclusa.config.tree import Node
from esclusa.config.variables import files_in, fill_in
from esclusa.hub.settings import PoolSettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import ConfigurationError

__all__ = ["Configuration", "data_folder", "initial", "load", "schema", "secret_files"]


def load(path: Path, environ: Mapping[str, str]) -> Configuration:
    """The configuration in the file `path` and those that it includes, with variables from `environ`.

    Checked whole: raises `ConfigurationError` with every mistake, each with its file, its line and the remedy, in the
    order of the files. No mistake shows the value of a secret or of a variable.

    Functions that it names may stand in modules beside it: its folder is where Python looks for modules last.
    """
    if (folder := str(path.parent.absolute())) not in sys.path:
        sys.path.append(folder)
    findings = Findings()
    document = Document(path, environ, findings)
    selected = _selected(document, environ)
    configuration = _checked(document, selected, environ, findings, selected=True)
    for other in environments(document.root):
        if other != selected:
            _checked(document, other, environ, findings, selected=False)
    mistakes = findings.mistakes()
    if mistakes:
        raise ConfigurationError(mistakes)
    return _completed(configuration, path)


def data_folder(path: Path, environ: Mapping[str, str]) -> Path:
    """Where a process that runs the configuration `path` has its data; nothing else of it is looked at.

    So who asks that process needs none of its secrets. Raises `ConfigurationError`.
    """
    findings = Findings()
    root = Document(path, environ, findings).root
    own = {name: node for name, node in root.table().items() if name == "esclusa"}
    shape = shaped(fill_in(Node(root.place, own), environ, findings), Configuration, findings)
    mistakes = findings.mistakes()
    if mistakes:
        raise ConfigurationError(mistakes)
    return Path(_completed(msgspec.convert(shape, Configuration, dec_hook=_decoded), path).esclusa.data)


def secret_files(path: Path, environ: Mapping[str, str]) -> list[str]:
    """The files whose content the configuration in `path` takes in, `${file:PATH}`: absolute, each once, there or not."""
    return sorted({str(file) for file in files_in(Document(path, environ, Findings()).root)})


def initial() -> str:
    """The text of a first configuration, with comments: what `esclusa init` writes."""
    return resources.files("esclusa.config").joinpath("initial.toml").read_text(encoding="utf-8")


def _selected(document: Document, environ: Mapping[str, str]) -> str | None:
    """The environment that the configuration is for; what may be wrong with it is found with the rest."""
    node = document.root.find("esclusa", "environment")
    if node is None:
        return None
    filled = fill_in(node, environ, Findings())
    return filled.value if isinstance(filled.value, str) and not filled.unknown else None


def _checked(
    document: Document, environment: str | None, environ: Mapping[str, str], findings: Findings, *, selected: bool
) -> Configuration:
    """What `document` says in `environment`, all that is wrong with it noted.

    An environment that is not the selected one is checked too, so that it holds no surprise, but the variables that it
    uses need not be set.
    """
    root = fill_in(in_environment(document.root, environment), environ, findings, required=selected)
    settings = msgspec.convert(shaped(root, Configuration, findings), Configuration, dec_hook=_decoded)
    check(Draft(root, settings, findings), whole=document.whole)
    return settings


def _completed(settings: Configuration, path: Path) -> Configuration:
    """`settings` with what goes without saying: the folder of the data, the pool `default`."""
    data = str((path.parent / settings.esclusa.data).absolute())
    return msgspec.structs.replace(
        settings,
        esclusa=msgspec.structs.replace(settings.esclusa, data=data),
        pools={"default": PoolSettings()} | settings.pools,
    )


def _decoded(_: type, value: str) -> Duration:
    return Duration.parse(value)
