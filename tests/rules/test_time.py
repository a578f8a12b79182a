"""Time and randomness are dependencies: nothing reads a clock, sleeps or draws lots but the kernel's `clock` and `ids`.

`asyncio.timeout` and the loop's timers are free to use: the loop's time is the injected one, and virtual in tests
(docs/decisions/0002). Sleeping isn't: whoever sleeps waits for nothing in particular, and should wait for a signal.
"""

from __future__ import annotations

import ast
import re

import pytest

from rules.tree import Source, product, suite

ALLOWED = {
    "src/esclusa/kernel/clock.py": "the one clock",
    "src/esclusa/kernel/ids.py": "the one source of randomness",
}
RAW = re.compile(
    r"time\.(?!struct_time)\w+|time"
    r"|datetime\.(datetime|date)\.(now|utcnow|today)"
    r"|random(\.\w+)*|secrets(\.\w+)*|os\.(urandom|getrandom|times)"
    r"|uuid\.uuid[1-8]|threading\.Timer|asyncio\.sleep"
)
POLL = "tests/support/poll.py"
"""The one file of the tests that sleeps in real time: `until` looks again and again, `pause` lets time go by outside."""

PAUSES = {
    "tests/support/country.py": "a body outside takes its time to answer",
    "tests/support/load.py": "workers leave the machine some of its time between their turns",
    "tests/faults/nodes/test_nodes.py": "how long a node is away is the fault itself",
    "tests/faults/nodes/test_program.py": "how long all nodes are away is the fault itself",
    "tests/support/log_ledger.py": "appends under which brokers die come at a pace",
    "tests/faults/test_brokers.py": "how long brokers are away is the fault itself",
    "tests/faults/test_kafka.py": "how long a broker is stopped is the fault itself",
    "tests/faults/test_brokers_programs.py": "how long brokers are away is the fault itself",
    "tests/faults/test_kill.py": "a process is killed at moments that nothing chooses but chance",
    "tests/faults/test_stop.py": "how long a process is stopped is the fault itself",
}
"""Who may call `pause`, and why no signal will do."""

IN_VIRTUAL_TIME = {
    "tests/support/hub.py": "`Process.committed` is for tests of the hub alone, which run in virtual time",
    "tests/support/play.py": "a play is performed in virtual time",
    "tests/support/calls.py": "a play is performed in virtual time",
    "tests/unit/connectors/test_connector_machine.py": "hypothesis runs it on a virtual loop of its own",
    "tests/unit/testing/test_virtual.py": "its subject is the virtual loop, on which it runs what sleeps",
}
"""Files that sleep on the virtual loop, where it takes no time, though no mark in them says so."""

YIELD = "0"
"""`asyncio.sleep(0)` lets others run; it is no wait."""


def raw(source: Source) -> list[str]:
    yields = {
        id(node.func)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and len(node.args) == 1 and ast.unparse(node.args[0]) == YIELD
    }
    return [
        f"{source.at(node)}: {name}"
        for node, name in source.uses()
        if RAW.fullmatch(name) and not (name == "asyncio.sleep" and id(node) in yields)
    ]


def test_no_raw_clock_sleep_or_randomness_outside_the_kernel() -> None:
    found = [use for source in product() if source.place not in ALLOWED for use in raw(source)]
    assert not found, "use the Clock and the Ids that every part is given"


def test_no_test_sleeps() -> None:
    """On a real loop a test waits for a signal, or polls another process by `until`; in virtual time a sleep takes none."""
    found = [use for source in suite() if source.place not in {POLL, *IN_VIRTUAL_TIME} for use in sleeps(source)]
    found += [use for source in suite() if source.place not in PAUSES for use in pauses(source)]
    assert not found, "wait on a signal, mark the test with virtual_time, or poll what is outside: support.poll.until"


def test_nobody_is_excepted_who_need_not_be() -> None:
    places = {source.place: source for source in suite()}
    assert {place for place in places if pauses(places[place])} == PAUSES.keys()
    assert {place for place in IN_VIRTUAL_TIME if sleeps(places[place])} == IN_VIRTUAL_TIME.keys()


def pauses(source: Source) -> list[str]:
    return [f"{source.at(node)}: {name}" for node, name in source.uses() if name == "support.poll.pause"]


def sleeps(source: Source) -> list[str]:
    """Sleeps in real time, wherever they stand: in a test, in what it calls, in a class."""
    found = [f"{source.at(node)}: {name}" for node, name in source.uses() if name == "time.sleep"]
    virtual = in_virtual_time(source)
    for part in source.tree.body:
        if name_of(part) not in virtual:
            found += [
                f"{source.at(node)}: {ast.unparse(node)}"
                for node in ast.walk(part)
                if isinstance(node, ast.Call)
                and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"sleep", "sleep_until"}
                and [ast.unparse(argument) for argument in node.args] != [YIELD]
            ]
    return found


def name_of(part: ast.AST) -> str:
    """Of what is defined; empty for any other statement."""
    return part.name if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""


def in_virtual_time(source: Source) -> set[str]:
    """What is defined in a file and runs on the virtual loop alone: marked tests, and what only they use."""
    parts = {name: part for part in source.tree.body if (name := name_of(part))}
    marks = [node for node in source.tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"]
    if any("virtual_time" in ast.unparse(mark.value) for mark in marks):
        return set(parts)
    uses = {name: mentioned(part) & parts.keys() - {name} for name, part in parts.items()}
    tests = {name for name in parts if name.startswith(("test_", "Test"))}
    marked = {name for name in tests if "virtual_time" in "".join(map(ast.unparse, getattr(parts[name], "decorator_list", [])))}
    return reached(marked, uses) - reached(tests - marked, uses)


def mentioned(part: ast.AST) -> set[str]:
    """Names that a definition uses, those of fixtures among them."""
    names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
    return names | {node.arg for node in ast.walk(part) if isinstance(node, ast.arg)}


def reached(names: set[str], uses: dict[str, set[str]]) -> set[str]:
    """`names`, and all that they use, and what that uses."""
    found, ahead = set(names), set(names)
    while ahead:
        ahead = {below for name in ahead for below in uses[name]} - found
        found |= ahead
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import time\ndef test_a(): time.sleep(1)",
        "from time import sleep\n@pytest.mark.virtual_time\ndef test_a(): sleep(1)",
        "async def test_a(): await asyncio.sleep(0.01)",
        "async def test_a():\n async with asyncio.timeout(5):\n  while True: await clock.sleep(1)",
        "class Fake:\n async def act(self): await self.clock.sleep_until(1)",
        "async def helper(): await asyncio.sleep(1)\nasync def test_a(): await helper()",
        (
            "async def helper(): await asyncio.sleep(1)\nasync def test_a(): await helper()\n"
            "@pytest.mark.virtual_time\nasync def test_b(): await helper()"
        ),
        "async def nobodys(): await asyncio.sleep(1)\n@pytest.mark.virtual_time\nasync def test_a(): pass",
    ],
)
def test_the_rule_sees_a_test_that_sleeps(text: str) -> None:
    assert sleeps(suite()[0]._replace(text=text, tree=ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "async def test_a(): await asyncio.sleep(0)",
        "pytestmark = pytest.mark.virtual_time\nasync def test_a(): await clock.sleep(1)",
        (
            "async def helper(): await asyncio.sleep(1)\nasync def over(): await helper()\n"
            "@pytest.mark.virtual_time\nasync def test_a(): await over()\nasync def test_b(): pass"
        ),
    ],
)
def test_the_rule_lets_a_test_pass(text: str) -> None:
    assert not sleeps(suite()[0]._replace(text=text, tree=ast.parse(text)))


@pytest.mark.parametrize(
    "line",
    [
        "import time; time.monotonic()",
        "from time import sleep; sleep(1)",
        "import datetime as d; d.datetime.now()",
        "from datetime import datetime; datetime.now(None)",
        "import asyncio; asyncio.sleep(1)",
        "from random import Random; Random(1)",
        "import os; os.urandom(3)",
        "from uuid import uuid4; uuid4()",
        "import secrets; secrets.token_hex()",
    ],
)
def test_the_rule_sees(line: str) -> None:
    source = product()[0]._replace(text=line, tree=ast.parse(line))
    assert raw(source)


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio; asyncio.sleep(0)",
        "from datetime import datetime; datetime.fromtimestamp(1)",
        "from uuid import UUID; UUID(int=1)",
    ],
)
def test_the_rule_lets_pass(line: str) -> None:
    source = product()[0]._replace(text=line, tree=ast.parse(line))
    assert not raw(source)
