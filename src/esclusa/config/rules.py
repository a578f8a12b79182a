"""What must hold between the keys of a configuration, beyond their types: one function a table."""

from __future__ import annotations

import os.path
import re
import unicodedata
from collections.abc import Iterable

import msgspec

from esclusa.config.document import FAMILIES
from esclusa.config.engines import ENGINES, PORTS, engine_of
from esclusa.config.findings import Findings, nearest
from esclusa.config.settings import Configuration
from esclusa.config.shape import dotted
from esclusa.config.tree import Node
from esclusa.connectors.settings import CertificateCredentials
from esclusa.hub.settings import QuerySettings

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""What connectors, queries, pools, clients and credentials may be called: names end up in topics, paths and logs."""

SHORTEST_KEY = 16
"""Characters of a client's key."""

_PARAM = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})", re.ASCII)
_HIGHEST_PORT = 65535
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_STATUS = re.compile(r"[1-5](\d\d|xx)", re.ASCII)
_WORD = re.compile(r"[a-z]+")
_LIMITED = {"text": "characters", "number": "the largest", "dateRange": "days"}


class Rules:
    """Judges a `configuration` and points into `root`, the tree that it was made of.

    What is wrong in type is not in the configuration and not judged again; what is absent is looked for in the tree.
    """

    def __init__(self, root: Node, configuration: Configuration, findings: Findings) -> None:
        self._root = root
        self._all = configuration
        self._findings = findings

    def apply(self) -> None:
        """Note every mistake."""
        self._names()
        self._engines()
        self._server()
        self._clients()
        self._pools()
        self._credentials()
        self._queries()
        self._connectors()

    def _wrong(self, path: tuple[str | int, ...], what: str) -> None:
        self._findings.add(self._root.where(*path), what)

    def _names(self) -> None:
        for family in sorted(FAMILIES):
            for name in self._root.table(family):
                if not NAME.fullmatch(name):
                    would = f': "{_slug(name)}" would do' if _slug(name) else ""
                    self._wrong(
                        (family, name),
                        f"[{dotted((family, name))}] can't be called so: a name has a-z, 0-9 and -, begins with a letter or a digit"
                        f" and is at most 64 long{would}",
                    )

    def _engines(self) -> None:
        settings = self._all.esclusa
        given = [key for key in ("engine", *PORTS) if self._root.find("esclusa", key) is not None]
        for key in given:
            name = getattr(settings, key)
            engine = ENGINES.get(name)
            here = [name for name, engine in ENGINES.items() if engine.available]
            if engine is None:
                self._wrong(("esclusa", key), f"esclusa.{key} can't be {self._shown('esclusa', key)}: {nearest(name, here)}")
            elif not engine.available:
                self._wrong(("esclusa", key), f'esclusa.{key} can\'t be "{name}": that engine is not installed; {nearest("", here)}')
