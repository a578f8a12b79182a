"""Whether another attempt is made, and after how long (P9): pure.

Exponential with full jitter: the wait is evenly spread between nothing and a bound that doubles from attempt to attempt,
so that those who failed together don't come back together.
"""

from __future__ import annotations

import math

from esclusa.connectors.backend import Outcome
from esclusa.connectors.settings import RetrySettings

_DOUBLINGS = 32
"""Beyond, any bound has long been reached."""


def wait(settings: RetrySettings, attempts: int, outcome: Outcome, fraction: float) -> float | None:
    """Seconds until the next attempt after `attempts` that ended with `outcome`; None: there is to be none.

    `fraction`: a random number of [0, 1). What the back end asks for (`outcome.after`) is waited for at least, with the
    jitter on top: many have been told the same.
    """
    if outcome.reason is None or not outcome.again or attempts >= settings.attempts:
        return None
    bound = min(settings.most, math.ldexp(settings.first, min(attempts - 1, _DOUBLINGS)))
    return outcome.after + fraction * bound
