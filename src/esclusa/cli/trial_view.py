"""A call that was tried, shown: what went out, what came, what became of it, and what the policies would do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from esclusa.cli.masking import Masking
from esclusa.cli.output import harmless
from esclusa.connectors.breaker import is_failure, is_unheard
from esclusa.connectors.settings import ConnectorSettings
from esclusa.connectors.tap import Kind, Step
from esclusa.connectors.trial import Trial

_SHOWN = 4096
"""Characters of a body that are shown, unless it is to be whole."""
_WIDTH = 12
"""Columns of the names on the left."""
_TITLES: dict[Kind, str] = {
    "request": "Request",
    "answer": "Answer",
    "failed": "Failed",
    "transformed": "Transformed",
    "untransformed": "Transform",
}
_MADE_UP = "Nothing is sent: it is made up (mock)."
_UNSEEN = "Nothing can be seen of the call: nothing was sent, or its protocol does not show it."
_DEEPEST = 40
"""Indents that a line has at most, however deep it is."""
_BETWEEN = re.compile(r">\s*<")
_OPENING = re.compile(r"<[^/?!](?:(?!/>|</).)*$", re.DOTALL)
"""A line of XML whose element goes on in the next."""


class TrialView:
    """A trial for people, and as a document; without secrets."""

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
                    "body": self._masking.text(step.body),
                }
                for step in trial.steps
            ],
            "outcome": {
                "state": "OK" if outcome.reason is None else "KO",
                "reason": outcome.reason,
                "detail": outcome.detail,
                "data": None if outcome.data is None else self._masking.json(outcome.data),
            },
            "elapsed": _millis(trial.took),
            "policies": dict(self._policies()),
        }

    def show(self, console: Console, *, whole: bool) -> None:
        """In words."""
        trial = self._trial
        if not trial.steps:
            console.print(_MADE_UP if trial.made_up else _UNSEEN)
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
        _put(console, _row("Outcome", verdict))
        if not trial.steps and outcome.data is not None:
            self._show_body(console, outcome.data.decode(), whole=whole)
        for title, text in self._policies():
            _put(console, _row(title.capitalize(), Text(text)))

    def _show_step(self, console: Console, step: Step, *, whole: bool) -> None:
        first, *fields = self._masking.head(step.head).split("\n")
        line = Text(harmless(first), style="red" if step.kind in ("failed", "untransformed") else "bold")
        after = f"after {_millis(step.at - self._trial.began)} ms"
        line.append(f"  {after}" if first else after, style="dim")
        _put(console, _row(_TITLES[step.kind], line))
        for field in fields:
            _put(console, _row("", Text(harmless(field), style="dim")))
        self._show_body(console, step.body, whole=whole)
        console.print()

    def _show_body(self, console: Console, body: str, *, whole: bool) -> None:
        text = self._masking.text(_laid_out(body))
        shown = text if whole else text[:_SHOWN]
        for line in shown.split("\n") if shown else ():
            _put(console, _row("", Text(harmless(line.expandtabs(2)))))
        if len(shown) < len(text):
            _put(console, _row("", Text(f"... {len(text) - len(shown):,} characters more: --whole", style="dim")))

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
            times = "once more" if len(rests) == 1 else f"{len(rests)} more times"
            return f"it would be asked {times}, after at most {waits}, while the request has time"
        if not outcome.again:
            return "it would not be asked again: that would not help, or is not safe"
        return "it would not be asked again: retry has 1 attempt"


def _put(console: Console, line: Text) -> None:
    """Whole, however wide: a terminal breaks it, and a file has it as it is."""
    console.print(line, soft_wrap=True)


def _row(title: str, text: Text) -> Text:
    """A line with its name on the left."""
    return Text.assemble((f"{title:<{_WIDTH}}", "cyan"), text)


def _laid_out(body: str) -> str:
    """JSON and XML with a line for each part, and indents; anything else as it is."""
    if body.lstrip().startswith("<"):
        return _laid_out_xml(body)
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return body


def _laid_out_xml(document: str) -> str:
    """By its marks alone: it may be broken, and is shown all the same."""
    lines: list[str] = []
    depth = 0
    for line in _BETWEEN.sub(">\n<", document.strip()).split("\n"):
        depth -= line.startswith("</")
        lines.append("  " * min(max(depth, 0), _DEEPEST) + line)
        depth += bool(_OPENING.match(line))
    return "\n".join(lines)


def _millis(seconds: float) -> int:
    return round(seconds * 1000)
