"""Messages that nobody can read."""

from __future__ import annotations

from esclusa.hub.unreadable import UnreadableMessages
from esclusa.kernel.errors import Unreadable
from esclusa.kernel.instrument import Level
from support.sink import Sink


def test_each_is_counted_by_topic_and_said() -> None:
    logged = Sink()
    instrument = logged.instrument()
    for part in range(2):
        UnreadableMessages(instrument).add("requests.slow", Unreadable(f"not ours {part}"))
    assert instrument.counters["esclusa_hub_unreadable_total"].values == {("requests.slow",): 2}
    assert [(level, facts["topic"], facts["error"]) for level, _, facts in logged] == [
        (Level.ERROR, "requests.slow", "not ours 0"),
        (Level.ERROR, "requests.slow", "not ours 1"),
    ]
