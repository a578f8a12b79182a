"""The configuration of a running process, taken anew: whole, or not at all (H40).

Connectors, credentials, queries, clients and the level of the log may change while it runs; what it stands on may not.
Everything that can fail is done first; then all of it changes in one step of the loop, so that no question sees the half of
it. What is in flight goes on as it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any

import msgspec

from esclusa.bootstrap.hub import HubProcess, fingerprint, make_backends, make_connector, make_workshop
from esclusa.bootstrap.runtime import Runtime
from esclusa.config.config import Configuration, ConfigurationText
from esclusa.connectors.assembly import prepare_backend
from esclusa.connectors.backend import Backend
from esclusa.connectors.protocol import Workshop
from esclusa.edges.http.callers import Callers
from esclusa.edges.http.reloaded import Reloaded
from esclusa.hub.topics import longest_kept
from esclusa.kernel.errors import ConfigurationError, Mistake
from esclusa.kernel.instrument import Level
from esclusa.kernel.settings import files_of

Contents = Mapping[str, bytes]
"""What stands in files that connectors and credentials name, as digests."""
CHANGEABLE = ("connectors", "credentials", "queries", "clients")
"""Tables of tables that may change while the process runs; and so may one key more."""
_LEVEL = "log.level"


class Reload:
    """Takes the configuration of one running process anew, each time that it is called."""

    def __init__(
        self,
        text: ConfigurationText,
        configuration: Configuration,
        process: HubProcess,
        callers: Callers,
        runtime: Runtime,
    ) -> None:
        """`text`: what the files said; `configuration`: what the process was made from, which is that."""
        self._text = text
        self.configuration = configuration
        """What the process goes by."""
        self._contents = _contents(configuration)
        self._keep = longest_kept(configuration.queries)
        self._process = process
        self._callers = callers
        self._runtime = runtime
        self._one_at_a_time = asyncio.Lock()

    @property
    def files(self) -> list[str]:
        """The files that the configuration takes in and names, whose content is a part of it."""
        return [*self._text.secret_files(), *named_files(self.configuration)]

    async def __call__(self) -> Reloaded:
        """Take what the configuration says now. What has changed. `ConfigurationError`: every reason why nothing has."""
        done = await self._taken(self._text.again)
        self._log(done)
        return done

    async def renew(self) -> None:
        """Take what is in `files` now; the configuration itself stays as it was taken. `ConfigurationError` as above.

        What needs a restart is left as it was, and told: a password of the brokers keeps nobody's token from being renewed.
        """
        done = await self._taken(lambda: self._text, self._renewable)
        if done.changed:
            self._log(done)

    def _renewable(self, new: Configuration) -> Configuration:
        if others := [*_fixed(self.configuration, new)]:
            self._runtime.instrument.warn("renewed in its file, which needs a restart", keys=others)
        before = {name: getattr(self.configuration, name) for name in new.__struct_fields__ if name not in CHANGEABLE}
        return msgspec.structs.replace(new, **before)

    def _log(self, done: Reloaded) -> None:
        facts = {"added": done.added, "changed": done.changed, "removed": done.removed}
        self._runtime.instrument.info("configuration taken", configuration=done.configuration, **facts)

    async def _taken(
        self, read: Callable[[], ConfigurationText], part: Callable[[Configuration], Configuration] = lambda new: new
    ) -> Reloaded:
        """`part`: as much of what was read as is to be taken."""
        async with self._one_at_a_time:
            try:
                text, whole, contents = await asyncio.to_thread(_read, read)
                new = part(whole)
                touched = _touched(new, self._contents, contents)
                self._check(new)
                workshop = make_workshop(new, self._runtime)
                others = self._others(new, touched)
                await asyncio.to_thread(_prepare, new, others, workshop)
                try:
                    backends = make_backends(new, others, workshop)
                except ConfigurationError as error:
                    raise text.placed(error) from error
                done = self._take(new, touched, backends)
                self._text, self._contents = text, contents
            except ConfigurationError as error:
                mistakes = [str(mistake) for mistake in error.mistakes]
                self._runtime.instrument.error("configuration refused, the one before stays", mistakes=mistakes)
                raise
            return done

    def _others(self, new: Configuration, touched: Collection[str]) -> list[str]:
        """The connectors that this process serves and whose back ends are to be made, or made anew."""
        before = self._process.roster.all
        served = [name for name, settings in new.connectors.items() if settings.pool in self._process.roster]
        return [name for name in served if name not in before or name in touched or _changed(self.configuration, new, name)]

    def _take(self, new: Configuration, touched: Collection[str], backends: Mapping[str, Backend]) -> Reloaded:
        old = self.configuration
        served = [name for name, settings in new.connectors.items() if settings.pool in self._process.roster]
        before = self._process.roster.all
        roster = self._process.roster
        for name in [name for name in before if name not in served or _moved(old, new, name)]:
            roster.remove(name)
        for name, backend in backends.items():
            if name in roster.all or roster.restore(new.connectors[name].pool, name):
                roster.change(name, new.connectors[name], backend)
            else:
                roster.add(new.connectors[name].pool, make_connector(name, backend, new, self._runtime))
        self._process.inventory.change(new.connectors, new.queries)
        self._callers.change(new.clients)
        self._runtime.instrument.level = Level[new.log.level.upper()]
        self._process.presence.change(fingerprint(new))
        self.configuration = new
        done = _difference(old, new)
        renewed = [changed for name in touched if (changed := f"connectors.{name}") not in (*done.added, *done.changed)]
        return msgspec.structs.replace(done, changed=[*done.changed, *renewed])

    def _check(self, new: Configuration) -> None:
        reasons = [*self._needing_a_restart(new)]
        if reasons:
            raise ConfigurationError([Mistake("configuration", 0, reason) for reason in reasons])

    def _needing_a_restart(self, new: Configuration) -> Iterator[str]:
        old = self.configuration
        for key in _fixed(old, new):
            yield f"{key} has changed, which needs a restart"
        for name, query in new.queries.items():
            if query.kept > self._keep:
                yield f"queries.{name}.keep is longer than the topics keep their messages, which needs a restart"
        alone = {pool for pool, settings in old.pools.items() if settings.consumers == "connector"}
        for name in sorted(old.connectors.keys() | new.connectors.keys()):
            before, after = ({it.connectors[name].pool} if name in it.connectors else set() for it in (old, new))
            for pool in sorted((before ^ after) & alone):
                if pool in self._process.roster:
                    yield f"connectors.{name} comes to or leaves the pool {pool}, where each consumes by itself, which needs a restart"


def _fixed(old: Configuration, new: Configuration) -> Iterator[str]:
    """The dotted keys that differ and can't change while the process runs."""
    for name in new.__struct_fields__:
        if name not in CHANGEABLE:
            yield from (
                key for key in _differing(_plain(getattr(old, name)), _plain(getattr(new, name)), name) if key != _LEVEL
            )


def _changed(old: Configuration, new: Configuration, name: str) -> bool:
    """Whether the connector goes by other settings, or shows other credentials."""
    before, after = old.connectors.get(name), new.connectors[name]
    if before != after:
        return True
    return after.credentials is not None and old.credentials.get(after.credentials) != new.credentials[after.credentials]


def _read(read: Callable[[], ConfigurationText]) -> tuple[ConfigurationText, Configuration, Contents]:
    text = read()
    new = text.configuration()
    return text, new, _contents(new)


def _contents(configuration: Configuration) -> Contents:
    return {path: _digest(path) for path in named_files(configuration)}


def named_files(configuration: Configuration) -> list[str]:
    """The files that connectors and credentials name: certificates, keys, authorities, WSDLs."""
    tables = [*configuration.connectors.values(), *configuration.credentials.values()]
    return sorted({path for table in tables for path in files_of(table).values() if "://" not in path})


def _prepare(configuration: Configuration, names: Collection[str], workshop: Workshop) -> None:
    for name in names:
        prepare_backend(name, configuration.connectors[name], workshop)


def _digest(path: str) -> bytes:
    """Of what stands there; nothing, where it is no file that can be read."""
    try:
        if not Path(path).is_file():
            return b""
        with Path(path).open("rb") as file:
            return file_digest(file, "blake2b").digest()
    except OSError:
        return b""


def _touched(new: Configuration, before: Contents, after: Contents) -> list[str]:
    """The connectors for which a file says something else than before, under the same path."""
    other = {path for path, digest in after.items() if before.get(path, digest) != digest}
    return [
        name
        for name, settings in new.connectors.items()
        if other.intersection(files_of(settings).values())
        or (settings.credentials is not None and other.intersection(files_of(new.credentials[settings.credentials]).values()))
    ]


def _moved(old: Configuration, new: Configuration, name: str) -> bool:
    return old.connectors[name].pool != new.connectors[name].pool


def _difference(old: Configuration, new: Configuration) -> Reloaded:
    added, changed, removed = [], [], []
    for family in CHANGEABLE:
        before, after = getattr(old, family), getattr(new, family)
        added += [f"{family}.{name}" for name in after if name not in before]
        removed += [f"{family}.{name}" for name in before if name not in after]
        changed += [f"{family}.{name}" for name in after if name in before and before[name] != after[name]]
    if old.log.level != new.log.level:
        changed.append(_LEVEL)
    return Reloaded(configuration=fingerprint(new), added=added, changed=changed, removed=removed)


def _plain(table: Any) -> Any:
    return msgspec.to_builtins(table, enc_hook=str)


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The dotted keys under which two trees differ. Their values are not told: some are secrets."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield path
