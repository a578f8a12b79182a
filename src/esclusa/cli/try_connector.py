"""`esclusa connector try`: one back end called once, and all that can be seen of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from esclusa.cli.ask import typed
from esclusa.cli.exits import Exit
from esclusa.cli.masking import Masking
from esclusa.cli.options import FILE, ConfigurationFile, Json
from esclusa.cli.output import Failed, document, harmless, reported, words
from esclusa.config.config import Configuration, load
from esclusa.config.findings import nearest
from esclusa.connectors.backend import Question
from esclusa.connectors.breaker import is_failure, is_unheard
from esclusa.connectors.settings import ConnectorSettings
from esclusa.connectors.tap import Kind, Step
from esclusa.connectors.trial import Trial, tried
from esclusa.hub.inventory import Inventory
from esclusa.hub.validation import checked_params, checked_subject
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Refused
from esclusa.kernel.ids import Ids
from esclusa.kernel.settings import secrets_of

_SHOWN = 4096
"""Characters of a body that are shown, unless it is to be whole."""
_WIDTH = 12
"""Columns of the names on the left."""
_TITLES: dict[Kind, str] = {
    "sent": "Sent",
    "received": "Received",
    "failed": "Failed",
    "transformed": "Transformed",
    "untransformed": "Transform",
}


def try_connector(
    name: Annotated[str, Parameter(help="The name of a connector in the configuration.")],
    /,
    *,
    subject: Annotated[str, Parameter(help="Whom it is about, as in ask.")],
    param: Annotated[
        list[str] | None, Parameter(help="NAME=VALUE, as often as needed; a range of dates is NAME=2026-01-01..2026-01-31.")
    ] = None,
    query: Annotated[
        str | None, Parameter(help="The query in whose name it is asked; the first that asks it, unless given.")
    ] = None,
    config: Annotated[Path, Parameter(name="--config", help="The configuration; esclusa.toml unless given.")] = FILE,
    whole: Annotated[bool, Parameter(help="Show bodies to their end, however long.")] = False,
    json: Json = False,
) -> int:
    """Call one back end once, now, and show what is sent, what comes, what becomes of it, and what the policies would do.

    Nothing else has to run, and nothing is stored. The call is real: what it does, it does. The subject and the answer are \
shown in clear, secrets are not. The exit code is 5 when there is no answer.

    For example:

        esclusa connector try dgt --subject 12345678Z
        esclusa connector try dgt --subject 12345678Z --param province=28 --whole
        esclusa connector try dgt --subject 12345678Z --json | jq .outcome
    """
    return reported(lambda: asyncio.run(_try(config, name, subject, param or [], query, whole=whole, json=json)), json=json)


async def _try(
    file: ConfigurationFile, name: str, subject: str, given: list[str], query: str | None, *, whole: bool, json: bool
) -> Exit:
    configuration = load(file, os.environ)
    settings = configuration.connectors.get(name)
    if settings is None:
        raise Failed(Exit.MISTAKE, f'there is no connector "{name}" in {file}: {nearest(name, configuration.connectors)}')
    clock = Clock()
    asked = _question(configuration, name, query, subject, given, clock)
    credentials = None if settings.credentials is None else configuration.credentials[settings.credentials]
    trial = await tried(name, settings, credentials, asked, configuration.hub.max_answer, clock)
    masking = Masking([*secrets_of(settings), *(() if credentials is None else secrets_of(credentials))])
    view = View(name, settings, configuration.hub.max_answer, trial, masking)
    if json:
        document(view.document())
    else:
        view.show(words(), whole=whole)
    return Exit.DONE if trial.outcome.reason is None else Exit.INCOMPLETE


def _question(
    configuration: Configuration, name: str, query: str | None, subject: str, given: list[str], clock: Clock
) -> Question:
    """As the hub would make it: subject and parameters checked by the query's rules."""
    queries = configuration.queries
    if query is None:
        inventory = Inventory(configuration.connectors, queries)
        query = next((each for each in queries if name in inventory.concerned(each, {})), None)
    elif query not in queries:
        raise Failed(Exit.MISTAKE, f'there is no query "{query}": {nearest(query, queries)}')
    if query is None:
        raise Failed(Exit.MISTAKE, f'no query asks "{name}": say with --query in whose name it is to be asked')
    settings = queries[query]
    kinds = {each: param.type for each, param in settings.params.items()}
    try:
        params = checked_params(settings, typed(query, kinds, given))
        return Question(str(Ids(clock).uuid()), query, checked_subject(settings, subject), params)
    except Refused as refused:
        reasons = [fault.message for fault in refused.faults] or [str(refused)]
        raise Failed(Exit.MISTAKE, "\n".join(reasons)) from refused


class View:
    """A trial for people, and as a document."""

    def __init__(self, name: str, settings: ConnectorSettings, max_answer: int, trial: Trial, masking: Masking) -> None:
        self._name = name
        self._settings = settings
        self._max_answer = max_answer
        self._trial = trial
        self._masking = masking

    def document(self) -> dict[str, Any]:
        """Everything; times are milliseconds."""
        trial, outcome = self._trial, self._trial.outcome
        return {
            "connector": self._name,
            "steps": [
                {
                    "kind": step.kind,
                    "after": _millis(step.at - trial.began),
                    "head": self._masking.head(step.head),
                    "body": self._masking.text(_text(step.body)),
                }
                for step in trial.steps
            ],
            "outcome": {
                "state": "OK" if outcome.reason is None else "KO",
                "reason": outcome.reason,
                "detail": outcome.detail,
                "data": None if outcome.data is None else msgspec.Raw(self._masking.text(outcome.data.decode()).encode()),
            },
            "elapsed": _millis(trial.took),
            "policies": dict(self._policies()),
        }

    def show(self, console: Console, *, whole: bool) -> None:
        """In words."""
        trial = self._trial
        if not trial.steps:
            console.print("Nothing is sent: it is made up (mock).")
        for step in trial.steps:
            self._show_step(console, step, whole=whole)
        outcome = trial.outcome
        verdict = Text("OK", style="green") if outcome.reason is None else Text(f"KO {outcome.reason}", style="red")
        if outcome.reason is None and outcome.data is None:
            verdict.append(", and there is nothing about this subject", style="default")
        elif outcome.data is not None and not any(step.kind == "transformed" for step in trial.steps[-1:]):
            verdict.append(f", {len(outcome.data):,} bytes of data", style="default")
        if outcome.detail:
            verdict.append(f": {harmless(outcome.detail)}", style="default")
        console.print(_row("Outcome", verdict))
        if not trial.steps and outcome.data is not None:
            self._show_body(console, outcome.data, whole=whole)
        for title, text in self._policies():
            console.print(_row(title.capitalize(), Text(text)))

    def _show_step(self, console: Console, step: Step, *, whole: bool) -> None:
        first, *fields = self._masking.head(step.head).split("\n")
        line = Text(harmless(first), style="red" if step.kind in ("failed", "untransformed") else "bold")
        after = f"after {_millis(step.at - self._trial.began)} ms"
        line.append(f"  {after}" if first else after, style="dim")
        console.print(_row(_TITLES[step.kind], line))
        for field in fields:
            console.print(_row("", Text(harmless(field), style="dim")))
        self._show_body(console, step.body, whole=whole)
        console.print()

    def _show_body(self, console: Console, body: bytes, *, whole: bool) -> None:
        text = self._masking.text(_text(body))
        shown = text if whole else text[:_SHOWN]
        for line in shown.split("\n") if shown else ():
            console.print(_row("", Text(harmless(line.expandtabs(2)))))
        if len(shown) < len(text):
            console.print(_row("", Text(f"... {len(text) - len(shown):,} characters more: --whole", style="dim")))

    def _policies(self) -> Iterator[tuple[str, str]]:
        """What each would have done, by name."""
        trial, settings, outcome = self._trial, self._settings, self._trial.outcome
        yield "timeout", f"{_millis(trial.took):,} ms of {_millis(settings.timeout):,}"
        yield "retry", self._retried()
        breaker = settings.breaker
        if outcome.reason is None:
            yield "breaker", "counts it as a success"
        elif is_failure(breaker.counts, outcome):
            yield "breaker", f"counts it as a failure: {breaker.failures} in a row open it, for {breaker.open_for:g} s"
        else:
            yield "breaker", "learns nothing" if is_unheard(outcome) else "counts it as a success: the back end is there"
        if outcome.data is not None:
            yield "size", f"{len(outcome.data):,} bytes of {self._max_answer:,}"

    def _retried(self) -> str:
        outcome, rests = self._trial.outcome, self._trial.rests
        if outcome.reason is None:
            return "there is nothing to repeat"
        if rests:
            waits = ", ".join(f"{rest:g} s" for rest in rests)
            return f"it would be asked {len(rests)} more times, after at most {waits}, while the request has time"
        if not outcome.again:
            return "it would not be asked again: that would not help, or is not safe"
        return "it would not be asked again: retry has 1 attempt"


def _row(title: str, text: Text) -> Text:
    """A line with its name on the left."""
    return Text.assemble((f"{title:<{_WIDTH}}", "cyan"), text)


def _text(body: bytes) -> str:
    """JSON with line ends and indents; anything else as the text that it most likely is."""
    try:
        return msgspec.json.format(body, indent=2).decode() if body else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode("utf-8", "replace")


def _millis(seconds: float) -> int:
    return round(seconds * 1000)
