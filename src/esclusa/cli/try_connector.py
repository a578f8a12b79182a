"""`esclusa connector try`: one back end called once, and all that can be seen of it."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from esclusa.cli.ask import typed
from esclusa.cli.client import told
from esclusa.cli.exits import Exit
from esclusa.cli.masking import Masking, shown_secrets
from esclusa.cli.options import FILE, ConfigurationFile, Json
from esclusa.cli.output import Failed, document, reported, words
from esclusa.cli.trial_view import TrialView
from esclusa.config.config import Configuration, ConfigurationText
from esclusa.config.findings import nearest
from esclusa.connectors.backend import Question
from esclusa.connectors.trial import tried
from esclusa.hub.inventory import Inventory
from esclusa.hub.validation import checked_params, checked_subject
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import ConfigurationError, Refused
from esclusa.kernel.ids import Ids
from esclusa.kernel.settings import secrets_of


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
    """Call one back end once, now, and show the request, the answer, what becomes of it, and what the policies would do.

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
    text = ConfigurationText(file, os.environ)
    configuration = text.configuration()
    settings = configuration.connectors.get(name)
    if settings is None:
        raise Failed(Exit.MISTAKE, f'there is no connector "{name}" in {file}: {nearest(name, configuration.connectors)}')
    clock = Clock()
    asked = _question(configuration, name, query, subject, given, clock)
    credentials = None if settings.credentials is None else configuration.credentials[settings.credentials]
    chatter = redirect_stdout(sys.stderr) if json else nullcontext()  # of functions of the user's own
    try:
        with chatter:
            trial = await tried(name, settings, credentials, asked, configuration.hub.max_answer, clock)
    except ConfigurationError as error:
        raise text.placed(error) from error
    configured = [*secrets_of(settings), *(() if credentials is None else secrets_of(credentials))]
    shown = shown_secrets(step.head for step in trial.steps if step.kind == "request")
    masking = Masking([*configured, *shown, *trial.secrets])
    view = TrialView(name, settings, configuration.hub.max_answer, trial, masking)
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
        reasons = [told(fault) for fault in refused.faults] or [str(refused)]
        raise Failed(Exit.MISTAKE, "\n".join(reasons)) from refused
