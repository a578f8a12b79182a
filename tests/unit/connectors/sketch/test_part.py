"""Trees of parts have an end."""

from __future__ import annotations

from esclusa.connectors.sketch.part import Budget


def test_a_budget_is_spent_once() -> None:
    budget = Budget(2)
    assert [budget.take() for _ in range(4)] == [True, True, False, False]
