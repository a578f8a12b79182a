"""How tests run: coroutine tests on a fresh uvloop loop, or on the virtual-time loop where they are marked so."""

from __future__ import annotations

import asyncio
import inspect
import os
from pathlib import Path
from typing import Any

import pytest
import uvloop

from esclusa.testing.virtual import VirtualLoop

LIMIT = 60.0
"""Seconds of real time after which a test's coroutine is cut off, whatever it waits for; `@pytest.mark.timeout` says else."""
RUNNING = Path(os.environ["ESCLUSA_CI_TEST"]) if "ESCLUSA_CI_TEST" in os.environ else None
"""The file in which `.ci/run` finds the name of the test that was running when the process died."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests to their end, on a loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    virtual = pyfuncitem.get_closest_marker("virtual_time") is not None
    factory = VirtualLoop if virtual else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory, debug=False) as runner:
        if virtual:
            runner.run(pyfuncitem.obj(**arguments))
        else:
            runner.run(asyncio.wait_for(pyfuncitem.obj(**arguments), limit(pyfuncitem)))
    return True


def limit(test: pytest.Function) -> float:
    """How long `test` may take."""
    mark = test.get_closest_marker("timeout")
    return LIMIT if mark is None else float(mark.args[0])


def pytest_runtest_logstart(nodeid: str) -> None:
    """CI is told which test is running, for the case that native code aborts the process."""
    if RUNNING is not None:
        RUNNING.write_text(nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed one: nothing is left out there because something isn't installed."""
    if RUNNING is not None:
        RUNNING.unlink(missing_ok=True)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
