"""Whether a back end that has been failing is to be left alone for a while: the circuit breaker (H13), pure.

Closed, it lets everything through and looks at how it ends. It opens after so many consecutive failures or, where that is
configured, at a rate of failures over a window of time. Open, it lets nothing through. After `openFor` it is half open: a
few probes go through; if they all succeed it closes, and the first that fails opens it again.

A call is judged by the period in which it was let through: how a call of before the opening ends says nothing about the
probes, and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from esclusa.connectors.backend import Outcome, Reason
from esclusa.connectors.settings import BreakerSettings

CAUSES = ("timeout", "connection", "answer", "fault")
"""What `counts` may name, beside statuses."""
_STATUS = re.compile(r"[1-5](\d\d|xx)", re.ASCII)
BreakerState = Literal["closed", "half_open", "open"]
"""What a breaker does with the next call."""
REFUSED = 0
"""What `admit` returns in place of a permit."""
_BUCKETS = 10
"""The window moves in steps of a tenth of its length."""


def is_failure(counts: Sequence[str] | None, outcome: Outcome) -> bool:
    """Whether an attempt that ended so is a failure, by what is to be counted; None: by what the protocol says."""
    if counts is None or outcome.reason is None:
        return outcome.failure
    cause = "timeout" if outcome.reason is Reason.BACKEND_TIMEOUT else outcome.cause
    return cause in counts or (cause.isdigit() and f"{cause[0]}xx" in counts)


def is_unheard(outcome: Outcome) -> bool:
    """Whether an attempt that ended so says nothing of the back end: it was not asked, or the call was given up by us."""
    return outcome.reason is Reason.BACKEND_ERROR and not outcome.failure and not outcome.cause


def check_counts(counts: Sequence[str]) -> None:
    """`ValueError`, in words, for what can't be counted."""
    for name in counts:
        if name not in CAUSES and not _STATUS.fullmatch(name):
            raise ValueError(f'"{name}" can\'t be counted: there is {", ".join(CAUSES)}, and statuses such as "503" and "5xx"')


class Breaker:
    """The state machine of one back end. Every time is given, in seconds of any one clock that never goes back.

    Each permit is returned once: by `success`, `failure` or, when the call says nothing about the back end, `release`.
    """

    __slots__ = ("_consecutive", "_period", "_probes", "_rate", "_settings", "_state", "_succeeded", "_until", "_window")

    def __init__(self, settings: BreakerSettings) -> None:
        self._state: BreakerState = "closed"
        self._period = 1
        self._consecutive = 0
        self._until = 0.0
        self._probes = 0
        """Permits of this half-open period that are out or have succeeded."""
        self._succeeded = 0
        self.change(settings)

    def change(self, settings: BreakerSettings) -> None:
        """Other settings from now on. An open breaker stays so for as long as it was to; a window begins anew."""
        self._settings = settings
        self._rate = settings.rate or 0.0
        self._window = Window(settings.window) if self._rate else None
        if self._state == "half_open" and self._succeeded >= settings.probes:
            self._enter("closed")  # as many as it takes now have succeeded, and no other would be let through

    def reset(self) -> None:
        """Be closed, and know nothing: the back end is another one from now on, of which permits that are out tell nothing."""
        self._enter("closed")

    def state(self, now: float) -> BreakerState:
        """Closed, open, or half open, also when no probe has come yet."""
        if self._state == "open" and now >= self._until:
            return "half_open"
        return self._state

    def admit(self, now: float) -> int:
        """A permit for one call, or `REFUSED`."""
        if self._state == "closed":
            return self._period
        if self.state(now) == "open":
            return REFUSED
        if self._state == "open":
            self._enter("half_open")
        if self._probes >= self._settings.probes:
            return REFUSED
        self._probes += 1
        return self._period

    def success(self, permit: int, now: float) -> bool:
        """The call went well; whether that has closed the breaker."""
        if permit != self._period:
            return False
        self._consecutive = 0
        if self._state == "half_open":
            self._succeeded += 1
            if self._succeeded >= self._settings.probes:
                self._enter("closed")
                return True
        elif self._window is not None:
            self._window.add(now, failed=False)
        return False

    def failure(self, permit: int, now: float) -> bool:
        """The call failed in a way that tells of the back end's health; whether that has opened the breaker."""
        if permit != self._period:
            return False
        self._consecutive += 1
        opens = self._state == "half_open" or self._consecutive >= self._settings.failures
        if self._window is not None:
            self._window.add(now, failed=True)
            opens = opens or self._too_many(self._window, now)
        if opens:
            self._enter("open")
            self._until = now + self._settings.open_for
        return opens

    def release(self, permit: int) -> None:
        """The call was cut by us, or was never made: another may take its place."""
        if permit == self._period and self._state == "half_open":
            self._probes -= 1

    def _too_many(self, window: Window, now: float) -> bool:
        calls, failures = window.totals(now)
        return calls >= self._settings.calls and failures >= calls * self._rate

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._period += 1
        self._consecutive = self._probes = self._succeeded = 0
        if self._window is not None:
            self._window.clear()


class Window:
    """Calls and failures of the last `length` seconds, to a tenth of it."""

    __slots__ = ("_calls", "_failures", "_last", "_step")

    def __init__(self, length: float) -> None:
        self._step = length / _BUCKETS
        self._last = 0
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self._calls = [0] * _BUCKETS
        self._failures = [0] * _BUCKETS

    def add(self, now: float, *, failed: bool) -> None:
        """One call has ended at `now`."""
        self._move(now)
        place = self._last % _BUCKETS
        self._calls[place] += 1
        self._failures[place] += failed

    def totals(self, now: float) -> tuple[int, int]:
        """Calls and failures in the window that ends at `now`."""
        self._move(now)
        return sum(self._calls), sum(self._failures)

    def _move(self, now: float) -> None:
        step = int(now / self._step)
        for passed in range(max(self._last + 1, step - _BUCKETS + 1), step + 1):
            self._calls[passed % _BUCKETS] = self._failures[passed % _BUCKETS] = 0
        self._last = max(self._last, step)
