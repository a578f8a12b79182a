"""One broker and one node for all the stories of this folder; each has topics and tables of its own on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from support.installation import Engines


@pytest.fixture(scope="package")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Both serve."""
    with asyncio.Runner() as runner:
        made = Engines(tmp_path_factory.mktemp("engines"))
        runner.run(made.start())
        try:
            yield made
        finally:
            runner.run(made.stop())
