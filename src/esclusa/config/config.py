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
from esclusa.config.findings import Findings, Place
from esclusa.config.rules import check
from esclusa.config.schema import schema
from esclusa.config.settings import Configuration
from esclusa.config.shape import shaped
from esclusa.config.tree import Node
from esclusa.config.variables import files_in, fill_in
from esclusa.hub.settings import PoolSettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import ConfigurationError, Mistake

__all__ = ["Configuration", "ConfigurationText", "data_folder", "initial", "load", "schema"]


def load(path: Path, environ: Mapping[str, str]) -> Configuration:
    """The configuration in the file `path` and those that it includes, with variables from `environ`.

    Checked whole: raises `ConfigurationError` with every mistake, each with its file, its line and the remedy, in the
    order of the files. No mistake shows the value of a secret or of a variable.

    Functions that it names may stand in modules beside it: its folder is where Python looks for modules last.
    """
    return ConfigurationText(path, environ).configuration()


class ConfigurationText:
    """What the file `path`, and those that it includes, said when this was made; `${file:PATH}` is looked up later."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        """Raises nothing: what can't be read is a mistake of `configuration`."""
        self._path = path
        self._environ = environ
        self._findings = Findings()
        self._document = Document(path, environ, self._findings)

    def again(self) -> ConfigurationText:
        """What they say now."""
        return ConfigurationText(self._path, self._environ)

    def configuration(self) -> Configuration:
        """As `load`; what `${file:PATH}` takes in is read now, each time."""
        if (folder := str(self._path.parent.absolute())) not in sys.path:
            sys.path.append(folder)
        document, environ, findings = self._document, self._environ, self._findings.copy()
        selected = _selected(document, environ)
        configuration = _checked(document, selected, environ, findings, selected=True)
        for other in self.environments():
            if other != selected:
                _checked(document, other, environ, findings, selected=False)
        mistakes = findings.mistakes()
        if mistakes:
            raise ConfigurationError(mistakes)
        return _completed(configuration, self._path)

    def placed(self, error: ConfigurationError) -> ConfigurationError:
        """`error` with the lines of keys that only turned out to be wrong as something was made of them."""
        root = in_environment(self._document.root, _selected(self._document, self._environ))
        mistakes = []
        for mistake in error.mistakes:
            place = root.where(*mistake.key) if mistake.key else Place(mistake.file, mistake.line)
            mistakes.append(Mistake(place.file, place.line, mistake.what))
        return ConfigurationError(mistakes)

    def environments(self) -> list[str]:
        """Those for which connectors have something of their own."""
        return environments(self._document.root)

    def secret_files(self) -> list[str]:
        """The files that it takes in, `${file:PATH}`: absolute, each once, there or not."""
        return sorted({str(file) for file in files_in(self._document.root)})


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
