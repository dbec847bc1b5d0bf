"""What workers have counted → metrics of Prometheus."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.utils import floatToGoString

from rvae.serving.metrics.measures import HISTOGRAMS, PLACES, Histogram, Phases
from rvae.serving.metrics.totals import Total

__all__ = ["MODEL", "add_histogram", "worker_families"]

MODEL = ("model", "version")
COUNTERS = {
    "windows": ("rvae_windows", "Windows that were analysed."),
    "judged": ("rvae_judged_windows", "Windows that have a score."),
    "flagged": ("rvae_flagged_windows", "Windows whose score is above the model's own threshold."),
    "steps": ("rvae_steps", "Time steps of all series that were analysed."),
}
SINGLE = {
    "batch": ("rvae_batch_requests", "Requests that a worker took together."),
    "severity": (
        "rvae_window_severity",
        "Scores, on the scale on which 0 is usual and 1 is the model's own threshold.",
    ),
    "tail_probability": (
        "rvae_window_tail_probability",
        "Bound on the probability that a normal window scores at least as high.",
    ),
}


def worker_families(totals: Mapping[tuple[str, str], Total], recent: float) -> Iterator[Metric]:
    """The metrics of what was counted.

    Args:
        totals: By name and version of the model.
        recent: Weight of a value of now.
    """
    for counted, (name, words) in COUNTERS.items():
        counter = CounterMetricFamily(name, words, labels=MODEL)
        for key, total in totals.items():
            counter.add_metric(key, total.common[PLACES[counted]].item())
        yield counter
    words = "Time of the phases of a request that was answered with results."
    phases = HistogramMetricFamily("rvae_phase_seconds", words, labels=(*MODEL, "phase"))
    for key, total in totals.items():
        for phase in Phases._fields:
            numbers = total.common[PLACES[phase]].tolist()
            add_histogram(phases, (*key, phase), HISTOGRAMS[phase], numbers)
    yield phases
    for counted, (name, words) in SINGLE.items():
        histogram = HistogramMetricFamily(name, words, labels=MODEL)
        for key, total in totals.items():
            numbers = total.common[PLACES[counted]].tolist()
            add_histogram(histogram, key, HISTOGRAMS[counted], numbers)
        yield histogram
    words = "Share of normal windows that the model's own threshold flags, at most."
    expected = GaugeMetricFamily("rvae_expected_flagged_share", words, labels=MODEL)
    for key, total in totals.items():
        expected.add_metric(key, total.flagged_share)
    yield expected
    channel = (*MODEL, "channel")
    words = "Values that were missing in the series that were analysed."
    missing = CounterMetricFamily("rvae_missing_values", words, labels=channel)
    words = "Population stability index of recent values against those of the training."
    drift = GaugeMetricFamily("rvae_drift_index", words, labels=channel)
    for key, total in totals.items():
        for name, count in total.missing.items():
            missing.add_metric((*key, name), count)
        for name, index in total.drift(recent).items():
            drift.add_metric((*key, name), index)
    yield missing
    yield drift


def add_histogram(
    family: HistogramMetricFamily,
    labels: Sequence[str],
    histogram: Histogram,
    numbers: Sequence[float],
) -> None:
    """Add a histogram to a family, by its numbers."""
    *counts, total = numbers
    bounds = [*map(floatToGoString, histogram.bounds), "+Inf"]
    below = accumulate(counts)
    family.add_metric(labels, list(zip(bounds, below, strict=True)), total)
