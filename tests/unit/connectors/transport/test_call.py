"""What a call is, to who made it."""

from __future__ import annotations

from esclusa.connectors.transport.call import Call
from unit.connectors.transport.scripted import Outcomes, get


class Recorder:
    """Takes calls back."""

    def __init__(self) -> None:
        self.aborted: list[Call] = []

    def abort(self, call: Call) -> None:
        self.aborted.append(call)


def test_a_call_is_taken_back_by_who_made_it() -> None:
    recorder = Recorder()
    call = Call(get(), 5.0, Outcomes(), recorder)
    assert (call.by, call.sent, call.place) == (5.0, False, None)
    call.abort()
    assert recorder.aborted == [call]


def test_a_call_is_small() -> None:
    """There is one for every question: slots, and no dictionary."""
    assert not hasattr(Call(get(), 5.0, Outcomes(), Recorder()), "__dict__")
