from __future__ import annotations

import gzip

from esclusa.testing.hostile.misbehaviours import MISBEHAVIOURS, bomb


def test_a_bomb_is_small_until_it_is_opened() -> None:
    assert len(bomb()) * 500 < len(gzip.decompress(bomb()))


def test_there_are_misbehaviours_for_every_wire() -> None:
    assert {one.wire for one in MISBEHAVIOURS.values()} == {"http", "tls", "soap", "tcp"}
