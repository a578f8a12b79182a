"""In which partition a key stands: the same on every engine, in every process, for ever."""

from __future__ import annotations

from collections import Counter

import pytest

from esclusa.ports.log import partition_of


@pytest.mark.parametrize(("key", "partition"), [(b"", 5), (b"a", 4), (b"0123456789abcdef", 5)])
def test_it_is_fixed(key: bytes, partition: int) -> None:
    assert partition_of(key, 8) == partition


def test_keys_are_spread_evenly() -> None:
    counts = Counter(partition_of(number.to_bytes(16, "big"), 8) for number in range(8000))
    assert min(counts.values()) > 900
