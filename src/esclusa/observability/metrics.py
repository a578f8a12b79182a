"""Counters, gauges and histograms of a process in the text format of Prometheus, with those of the process itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from esclusa.kernel.instrument import Histogram, Instrument


class Metrics:
    """What `/metrics` says: call it."""

    def __init__(self, instrument: Instrument) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Instruments(instrument))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def __call__(self) -> tuple[str, bytes]:
        """The media type and the text, as of now."""
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)


class _Instruments(Collector):
    """Reads an instrument whenever somebody looks; nothing is kept twice."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def collect(self) -> Iterator[Metric]:
        """Everything, as of now."""
        for counter in self._instrument.counters.values():
            counted = CounterMetricFamily(counter.name, counter.help, labels=counter.labels)
            for labels, value in counter.values.items():
                counted.add_metric(labels, value)
            yield counted
        for gauge in self._instrument.gauges.values():
            read = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.read():
                read.add_metric(labels, value)
            yield read
        for histogram in self._instrument.histograms.values():
            yield _distribution(histogram)


def _distribution(histogram: Histogram) -> Metric:
    """Prometheus wants buckets that include the lower ones, the last without bound."""
    family = HistogramMetricFamily(histogram.name, histogram.help, labels=histogram.labels)
    bounds = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
    for labels, row in histogram.values.items():
        family.add_metric(labels, list(zip(bounds, accumulate(row[:-1]), strict=True)), sum_value=row[-1])
    return family
