"""The exam of the log on three brokers with a copy of everything on each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.brokers import Brokers
from support.prefixes import QUICK, BriskLogExam

pytestmark = [pytest.mark.real, pytest.mark.soak]


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """Three for all tests of this file."""
    with Brokers(tmp_path_factory.mktemp("kafka"), **QUICK) as made:
        yield made


class TestLog(BriskLogExam):
    """The log."""
