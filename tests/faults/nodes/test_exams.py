"""The exams of the engine `cassandra` on three nodes with a replica on each: what matters most of them, and all of them."""

from __future__ import annotations

import pytest

from esclusa.testing.exams import KeysExam, RecordsExam
from support.keyspaces import SOCKETS, OnCassandra

pytestmark = [pytest.mark.real, SOCKETS, pytest.mark.timeout(120)]


class TestWhatReplicasHaveToAgreeOn(OnCassandra):
    """A part of both exams."""

    test_the_lowest_rank_wins = RecordsExam.test_the_lowest_rank_wins_in_every_order
    test_of_many_that_add_one_wins = RecordsExam.test_of_many_that_add_at_once_one_wins_and_all_are_told_the_same
    test_forget_beats_writes_in_the_air = RecordsExam.test_forget_beats_writes_in_the_air_called_before_and_after
    test_a_read_is_of_one_moment = RecordsExam.test_a_read_is_of_one_moment
    test_a_read_sees_every_write = RecordsExam.test_a_read_sees_every_write_acknowledged_before_it
    test_what_one_has_written_all_read = RecordsExam.test_what_one_process_has_written_every_process_reads
    test_bodies_come_as_they_are_asked_for = RecordsExam.test_bodies_come_as_they_are_asked_for
    test_a_key_is_readable_by_all = KeysExam.test_a_key_made_by_one_process_is_readable_by_all
    test_destroy_takes_the_dead = KeysExam.test_destroy_takes_those_that_are_dead_and_no_others


@pytest.mark.soak
class TestAllOfRecords(OnCassandra, RecordsExam):
    """The whole exam."""


@pytest.mark.soak
class TestAllOfKeys(OnCassandra, KeysExam):
    """As `TestAllOfRecords`."""
