"""The whole tree of errors stands in one place, and no foreign error crosses a port."""

from __future__ import annotations

import ast
import builtins
import errno
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from esclusa.engines.sqlite import SqliteEngine
from esclusa.kernel import errors
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from rules.tree import Source, dotted, imported, product

E = TypeVar("E", bound=BaseException)

MISUSE = {"ValueError", "TypeError", "RuntimeError"}
"""The caller's own mistake, which no contract promises anything about."""


def below(cls: type[E]) -> Iterator[type[E]]:
    for child in cls.__subclasses__():
        yield child
        yield from below(child)


AT_HOME = {
    "esclusa.cli.client.Absent": "as `Failed`, of which it is a kind",
    "esclusa.cli.output.Failed": "how a command ends, which nobody but the command line sees",
    "esclusa.connectors.tcp.framing.FrameError": "a frame tells its connection, which makes an `HttpError` of it",
    "esclusa.connectors.soap.outcome.Costly": "an answer is read beside the loop then",
    "esclusa.connectors.soap.xml.UnsafeXml": "what came can't be parsed, which the reading of answers turns into an outcome",
    "esclusa.demo.http11.BadRequest": "a made-up body reads a call that is none",
}
"""Errors that never leave the package that they are made in, and why they are errors at all."""


def test_every_error_is_in_the_tree() -> None:
    """`esclusa.testing` has its own, for tests; a name with an underscore is for one module's own flow."""
    imported()
    strays = {
        f"{cls.__module__}.{cls.__qualname__}"
        for cls in below(BaseException)
        if cls.__module__.startswith("esclusa.")
        and not cls.__module__.startswith(("esclusa.testing", errors.__name__))
        and not cls.__name__.startswith("_")
    }
    assert strays == AT_HOME.keys()


def test_the_tree_is_one() -> None:
    outside = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, BaseException) and not issubclass(value, errors.EsclusaError)
    ]
    assert not outside


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    absent = [
        cls.__name__
        for cls in below(errors.EsclusaError)
        if cls.__module__ == errors.__name__ and cls.__name__ not in str(errors.__doc__)
    ]
    assert not absent


def test_every_refusal_has_a_name_of_its_own() -> None:
    names = [cls.name for cls in below(errors.Refused)]
    assert len(names) == len(set(names))
    assert errors.Refused.name not in names


def test_engines_and_ports_raise_errors_of_the_tree_alone() -> None:
    """What an engine raises on purpose; what it lets through from its vendor is examined by its exam and its fault tests."""
    foreign = [
        f"{source.at(node)}: {ast.unparse(node)}"
        for source in product()
        if source.module.startswith(("esclusa.engines", "esclusa.ports"))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Raise) and node.exc is not None and foreign_error(source, node.exc)
    ]
    assert not foreign


def foreign_error(source: Source, raised: ast.expr) -> bool:
    """Whether `raised` is a class, or an instance made on the spot, that isn't ours. Variables were made elsewhere."""
    made = dotted(raised.func if isinstance(raised, ast.Call) else raised)
    full = {dotted(node): name for node, name in source.uses()}.get(made, made)
    if full.startswith(f"{errors.__name__}.") or made in MISUSE:
        return False
    return isinstance(getattr(builtins, made, None), type) or ("." in full and not full.startswith("esclusa."))


class Sabotage:
    """What every statement of SQLite and every write of a file raises, once armed."""

    error: BaseException | None = None

    def strike(self) -> None:
        """Raise it, if there is one."""
        if self.error is not None:
            raise self.error


TOPIC = Topic("trial", 1)
OPERATIONS: dict[str, Callable[[Any], Awaitable[object]]] = {
    "append": lambda engine: engine.log.append(TOPIC, b"key", b"value"),
    "end": lambda engine: engine.log.end(TOPIC, 0),
    "log read": lambda engine: anext(engine.log.read(TOPIC, 0, 0, 1), None),
    "subscribe": lambda engine: engine.log.subscribe(TOPIC, "group"),
    "put": lambda engine: engine.records.put(b"key", [Row("row", b"head", b"body", FAR)]),
    "add": lambda engine: engine.records.add(b"key", Row("row", b"head", b"body", FAR)),
    "read": lambda engine: engine.records.read(b"key"),
    "forget": lambda engine: engine.records.forget(b"key", FAR),
    "make": lambda engine: engine.keys.make(bytes(16), bytes(range(32)), FAR),
    "get": lambda engine: engine.keys.get(bytes(16)),
    "destroy": lambda engine: engine.keys.destroy(FAR),
    "setup": lambda engine: engine.upkeep.setup([TOPIC, Topic("another", 1)]),
    "check": lambda engine: engine.upkeep.check(),
    "lag": lambda engine: engine.upkeep.lag([TOPIC]),
    "sweep": lambda engine: engine.upkeep.sweep(FAR),
}
FAR = 4_000_000_000_000
FOREIGN: list[BaseException] = [
    sqlite3.Error("said by SQLite"),
    *(cls("said by SQLite") for cls in below(sqlite3.Error)),
    OSError(errno.ENOSPC, "said by the system"),
    PermissionError(errno.EACCES, "said by the system"),
]


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
async def test_no_foreign_error_crosses_a_port(error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sabotage = Sabotage()

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            sabotage.strike()
            return super().execute(*arguments)

    def pwrite(file: int, content: bytes, offset: int, write: Callable[[int, bytes, int], int] = os.pwrite) -> int:
        sabotage.strike()
        return write(file, content, offset)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
    if isinstance(error, OSError):
        monkeypatch.setattr(os, "pwrite", pwrite)
    engine = SqliteEngine(tmp_path / "data", Clock(), Instrument(), Signals())
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    sabotage.error = error
    crossed, refused = {}, set()
    for name, operation in OPERATIONS.items():
        try:
            await operation(engine)
        except errors.StorageError:
            refused.add(name)
        except Exception as other:  # noqa: BLE001 - which ones come through is the question
            crossed[name] = other
    sabotage.error = None
    await engine.upkeep.check()
    await engine.stop()
    assert not crossed
    assert refused >= {"append", "put", "add", "forget", "check"}
