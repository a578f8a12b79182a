"""The files of a configuration, read and joined into one tree."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from esclusa.config.findings import Findings, Place
from esclusa.config.syntax import explained
from esclusa.config.tree import Node, parse
from esclusa.config.variables import fill_in

_GLOB = re.compile(r"[*?\[]")


class Document:
    """A configuration file and what it includes.

    `root`: the tables of all files, each with its place. `whole`: every file could be read; unless it is, nobody can say
    what a name refers to.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], findings: Findings) -> None:
        self._findings = findings
        self.whole = True
        self.root = self._read(path)
        include = self.root.find("esclusa", "include")
        if include is not None:
            tables = dict(self.root.table())
            for file, entry in self._included(path, fill_in(include, environ, findings)):
                self._join(tables, self._read(file, entry))
            self.root = Node(self.root.place, tables)

    def _read(self, path: Path, entry: Node | None = None) -> Node:
        """The tree of `path`; an empty one, and a mistake, when it can't be had. `entry`: what included it."""
        file = str(path)
        self._findings.reading(file)
        nothing, text = Node(Place(file, 0), {}), ""
        try:
            text = path.read_text(encoding="utf-8-sig")
            return parse(text, file)
        except OSError as error:
            self._unreadable(path, entry, error)
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self._findings.add(Place(file, line), "not UTF-8 text: save the file in that encoding")
        except tomllib.TOMLDecodeError as error:
            line, what = explained(error, text)
            self._findings.add(Place(file, line), what)
        except (RecursionError, ValueError):
            self._findings.add(Place(file, 1), "tables too deep, or a number too long, for a configuration")
        self.whole = False
        return nothing

    def _unreadable(self, path: Path, entry: Node | None, error: OSError) -> None:
        why = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or type(error).__name__).lower()
        if entry is None:
            remedy = ': write one with "esclusa init"' if isinstance(error, FileNotFoundError) else ""
            self._findings.add(Place(str(path), 0), f"can't be read: {why}{remedy}")
        else:
            file = path if entry.written is None else entry.shown()
            self._findings.add(entry.place, f"{file} can't be read: {why}: name a file that is there and can be read")

    def _included(self, path: Path, include: Node) -> Iterator[tuple[Path, Node]]:
        """The files that `include` names, each once, relative to the folder of `path`."""
        seen = {path.resolve()}
        for entry in include.value if isinstance(include.value, list) else []:
            if entry.unknown or not isinstance(entry.value, str):
                continue
            for file in self._matching(path.parent, entry):
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    yield file, entry

    def _matching(self, folder: Path, entry: Node) -> list[Path]:
        if "\0" in entry.value:
            return self._no_file(entry)
        pattern = Path(entry.value)
        if not _GLOB.search(entry.value):
            return [folder / pattern]
        if pattern.is_absolute():
            folder, pattern = Path(pattern.anchor), pattern.relative_to(pattern.anchor)
        try:
            return sorted(file for file in folder.glob(str(pattern)) if file.is_file())
        except ValueError:
            return self._no_file(entry)

    def _no_file(self, entry: Node) -> list[Path]:
        what = f'esclusa.include has {entry.shown()}, which is neither a file nor a pattern: write one such as "conf.d/*.toml"'
        self._findings.add(entry.place, what)
        return []

    def _join(self, tables: dict[str, Node], more: Node) -> None:
        """Add the tables of `more`. `[server]` may stand in one file only; `[connectors.NAME]` too, each by its name."""
        for name, table in more.table().items():
            if name == "esclusa":
                self._findings.add(
                    table.place, "[esclusa] can't stand in an included file: move its keys to the file that includes it"
                )
            elif name not in tables:
                tables[name] = table
            elif name in FAMILIES and isinstance(table.value, dict) and isinstance(tables[name].value, dict):
                joined = dict(tables[name].table())
                for member, below in table.table().items():
                    if member in joined:
                        self._twice(f"{name}.{member}", below.place, joined[member].place)
                    else:
                        joined[member] = below
                tables[name] = Node(tables[name].place, joined)
            else:
                self._twice(name, table.place, tables[name].place)

    def _twice(self, table: str, place: Place, first: Place) -> None:
        self._findings.add(place, f"[{table}] stands in {first.file}:{first.line} already: keep one of them")


FAMILIES = ("clients", "connectors", "credentials", "queries", "pools")
"""Tables of tables: `[connectors.NAME]`."""
