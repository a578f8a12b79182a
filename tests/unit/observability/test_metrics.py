"""Metrics in the text format of Prometheus (H41, P12)."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from esclusa.kernel.instrument import Instrument
from esclusa.observability.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample, by name and labels."""
    media, text = metrics()
    assert media.startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_a_counter() -> None:
    instrument = Instrument()
    counter = instrument.counter("esclusa_calls_total", "Calls", "connector", "reason")
    counter.add("dgt", "ok", amount=2)
    counter.add('a"\n\\', "ko")
    got = samples(Metrics(instrument))
    assert got["esclusa_calls_total", (("connector", "dgt"), ("reason", "ok"))] == 2
    assert got["esclusa_calls_total", (("connector", 'a"\n\\'), ("reason", "ko"))] == 1


def test_a_gauge_is_read_when_somebody_looks() -> None:
    instrument = Instrument()
    value = 1.0

    def read() -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), value

    metrics = Metrics(instrument)
    instrument.gauge("esclusa_open", "Open", (), read)
    assert samples(metrics)["esclusa_open", ()] == 1
    value = 2.0
    assert samples(metrics)["esclusa_open", ()] == 2


def test_the_buckets_of_a_histogram_include_the_lower_ones() -> None:
    instrument = Instrument()
    histogram = instrument.histogram("esclusa_seconds", "How long", "route", bounds=(0.1, 1))
    for value in (0.05, 0.1, 0.5, 5):
        histogram.observe(value, "/x")
    got = samples(Metrics(instrument))
    buckets = [got["esclusa_seconds_bucket", (("le", le), ("route", "/x"))] for le in ("0.1", "1", "+Inf")]
    assert buckets == [2, 3, 4]
    assert got["esclusa_seconds_count", (("route", "/x"),)] == 4
    assert abs(got["esclusa_seconds_sum", (("route", "/x"),)] - 5.65) < 1e-9


def test_what_each_is_for_is_said() -> None:
    instrument = Instrument()
    instrument.counter("esclusa_calls_total", "Calls made").add()
    _, text = Metrics(instrument)()
    assert b"# HELP esclusa_calls_total Calls made" in text
    assert b"# TYPE esclusa_calls_total counter" in text


def test_the_process_itself_is_measured() -> None:
    names = {name for name, _ in samples(Metrics(Instrument()))}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"} <= names


def test_two_processes_in_one_do_not_mix() -> None:
    one, other = Instrument(), Instrument()
    one.counter("esclusa_calls_total", "Calls").add()
    assert ("esclusa_calls_total", ()) not in samples(Metrics(other))
