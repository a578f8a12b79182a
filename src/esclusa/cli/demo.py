"""`esclusa demo`: the whole thing at work, with a country of made-up bodies."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter

from esclusa.bootstrap import freeze_memory
from esclusa.cli.ask import shown, silently
from esclusa.cli.client import Service, connected
from esclusa.cli.exits import Exit
from esclusa.cli.options import Json
from esclusa.cli.output import Failed, document, reported, say, tell
from esclusa.cli.program import program
from esclusa.demo.bodies import BODIES
from esclusa.demo.crowd import Crowd
from esclusa.demo.demo import CONFIGURATION, citizens_question, open_demo, speaks_soap
from esclusa.demo.folder import temporary_folder
from esclusa.demo.lives import CITIZENS, is_person
from esclusa.hub.validation import normal_nif


def demo(
    *,
    subject: Annotated[str, Parameter(help="Whom the question is about; any valid NIF or NIE is somebody.")] = CITIZENS[0].nif,
    once: Annotated[bool, Parameter(help="End after the first question.")] = False,
    data: Annotated[Path | None, Parameter(help="Keep the hub's files in this folder; gone at the end unless given.")] = None,
    json: Json = False,
) -> int:
    """A country of public bodies on this machine, and a citizen's question answered body by body.

    Some bodies are as bodies can be: slow, down, hung, flapping, overloaded by other people's questions.

    Then it says where the API is, and goes on until Ctrl-C; with --json it ends after the question.

    For example:

        esclusa demo
        esclusa demo --subject Z9901635W
        esclusa demo --once --json
    """
    return reported(lambda: uvloop.run(_demo(somebody(subject), data, once=once, json=json)), json=json)


def somebody(subject: str) -> str:
    """The subject as the country's bodies write it; `Failed` when it is nobody's."""
    normal = normal_nif(subject)
    if normal is None or not is_person(normal):
        raise Failed(Exit.MISTAKE, f"{subject} is nobody's NIF or NIE: try {CITIZENS[0].nif}")
    return normal


async def _demo(subject: str, data: Path | None, *, once: bool, json: bool) -> Exit:
    answered = False
    with interruptible(), temporary_folder() if data is None else nullcontext(data) as folder:
        try:
            async with open_demo(folder) as running, connected(Service(running.url, key=running.key), running.clock) as client:
                freeze_memory()
                if not json:
                    introduce(subject)
                    sys.stdout.flush()
                crowd = Crowd(client, running.clock)
                await crowd.assemble()
                async with crowd.going_on():
                    question = citizens_question(subject, running.clock.now())
                    if json:
                        document(await silently(client, question))
                    else:
                        await shown(client, running.title, question, running.clock)
                    answered = True
                    if once or json:
                        return Exit.DONE
                    say_where(running.url, running.key)
                    sys.stdout.flush()  # it may be a pipe, and what comes next is a long wait
                    await running.application.lifecycle.ended()
        except asyncio.CancelledError:
            return Exit.DONE if answered else Exit.INTERRUPTED
    return Exit.DONE


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM cancel the current task, once: what was begun is undone in order, and nothing is left behind."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt() -> None:
        if task is not None and not task.cancelling():
            task.cancel()

    for each in signals:
        loop.add_signal_handler(each, interrupt)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


def introduce(subject: str) -> None:
    """Who is asked, and whom the question is about."""
    stories = {citizen.nif: citizen.story for citizen in CITIZENS}
    tell(f"{len(BODIES)} public bodies are at work, and other people are asking them too.")
    if not speaks_soap():
        silent = sum(body.soap is not None for body in BODIES)
        tell(f'{silent} of them speak SOAP and are left out, since that is not installed: pip install "esclusa[soap]"')
    tell(f"{subject}: {stories.get(subject, 'somebody of this country')}")
    say()


def say_where(url: str, key: str) -> None:
    """What there is to see and to try while it goes on, for whoever has the demo's `key`."""
    say()
    tell(f"The API is at {url}/api/v1, and its documentation at {url}/docs. Ask it yourself:")
    say(f"""
  export ESCLUSA_KEY={key}
  {program()} ask vehiculos --subject {CITIZENS[1].nif} --url {url}
  curl -H "Authorization: Bearer $ESCLUSA_KEY" {url}/api/v1/connectors

Some of the people who live here:
""")
    for citizen in CITIZENS:
        tell(f"  {citizen.nif}  {citizen.story}", hanging=len(citizen.nif) + 4)
    say(f"""
The configuration, to read and to copy: {CONFIGURATION}

Ctrl-C ends it all.""")
