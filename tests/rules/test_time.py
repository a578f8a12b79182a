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
PAUSES = {
    "tests/faults/test_kill.py": "a process of its own is killed at moments that nothing chooses but chance",
}
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
    """In virtual time a sleep takes none; on a real loop a test waits for a signal."""
    found = [f"{source.at(node)}: {name}" for source in suite() for node, name in source.uses() if name == "time.sleep"]
    for source in suite():
        if source.place in PAUSES:
            continue
        virtual = {function for function in functions(source.tree) if in_virtual_time(source, function)}
        for function in functions(source.tree) - virtual:
            if function.name.startswith("test_") or not virtual:  # helpers serve the tests of their file
                found += [f"{source.at(call)}: {ast.unparse(call)}" for call in sleeps(function)]
    assert not found, "wait on a signal, or mark the test with virtual_time"


def functions(tree: ast.Module) -> set[ast.AsyncFunctionDef]:
    return {node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}


def in_virtual_time(source: Source, function: ast.AsyncFunctionDef) -> bool:
    marks = [ast.unparse(decorator) for decorator in function.decorator_list]
    marks += [
        ast.unparse(node.value)
        for node in source.tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    return any("virtual_time" in mark for mark in marks)


def sleeps(function: ast.AsyncFunctionDef) -> list[ast.Call]:
    """The sleeps in it, but for the pauses of a bounded poll, of another process that gives no signal."""
    paused = {
        id(call)
        for block in ast.walk(function)
        if isinstance(block, ast.AsyncWith) and any("timeout" in ast.unparse(item.context_expr) for item in block.items)
        for loop in ast.walk(block)
        if isinstance(loop, ast.While)
        for call in ast.walk(loop)
    }
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"sleep", "sleep_until"}
        and [ast.unparse(argument) for argument in node.args] != [YIELD]
        and id(node) not in paused
    ]


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
