"""Three nodes and a broker for all the faults of this folder: each has keyspaces and topics of its own on them."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from dev.cassandra import Cassandra

from support.apart import Apart
from support.installation import Engines
from support.keyspaces import Nodes


@pytest.fixture(scope="package")
def apart() -> Iterator[Apart]:
    """Where they are started from."""
    with Apart() as made:
        yield made


@pytest.fixture(scope="package")
def engines(tmp_path_factory: pytest.TempPathFactory, apart: Apart) -> Iterator[Engines]:
    """All serve."""
    made = Engines(tmp_path_factory.mktemp("engines"), nodes=3)
    apart.run(made.start())
    try:
        yield made
    finally:
        apart.run(made.stop())


@pytest.fixture(scope="package")
def cluster(engines: Engines) -> Cassandra:
    """The nodes, for exams."""
    return engines.cassandra


@pytest.fixture(scope="package")
def nodes(cluster: Cassandra, apart: Apart) -> Nodes:
    """The nodes, to be disturbed."""
    return Nodes(cluster, apart)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What the driver leaves to the garbage collector is collected while its warnings are filtered."""
    yield
    gc.collect()
