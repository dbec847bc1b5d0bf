import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parsed

from rvae.serving.metrics.families import worker_families
from rvae.serving.metrics.measures import HISTOGRAMS, PLACES
from rvae.serving.metrics.totals import Total

MODEL = {"model": "waves", "version": "1.0"}


def page(total: Total, recent: float = 1.0) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The samples of what was counted, by name and labels beside those of the model."""

    class Collector:
        def collect(self):  # type: ignore[no-untyped-def]
            return worker_families({("waves", "1.0"): total}, recent)

    registry = CollectorRegistry()
    registry.register(Collector())
    found = {}
    for family in parsed(generate_latest(registry).decode()):
        assert family.documentation
        for sample in family.samples:
            assert MODEL.items() <= sample.labels.items()
            found[sample.name, frozenset(sample.labels.items() - MODEL.items())] = sample.value
    return found


def test_counts_are_told_as_they_are() -> None:
    total = Total(flagged_share=0.01, missing={"heat": 3.0})
    for number, name in enumerate(("windows", "judged", "flagged", "steps"), 1):
        total.common[PLACES[name]] = number
    found = page(total)
    none = frozenset[tuple[str, str]]()
    assert found["rvae_windows_total", none] == 1
    assert found["rvae_judged_windows_total", none] == 2
    assert found["rvae_flagged_windows_total", none] == 3
    assert found["rvae_steps_total", none] == 4
    assert found["rvae_expected_flagged_share", none] == 0.01
    assert found["rvae_missing_values_total", frozenset({("channel", "heat")})] == 3
    assert "rvae_drift_index" not in {name for name, _ in found}


@pytest.mark.parametrize(
    ("counted", "name"),
    [
        ("queue", "rvae_phase_seconds"),
        ("encode", "rvae_phase_seconds"),
        ("batch", "rvae_batch_requests"),
        ("severity", "rvae_window_severity"),
        ("tail_probability", "rvae_window_tail_probability"),
    ],
)
def test_buckets_of_a_histogram_hold_those_below(counted: str, name: str) -> None:
    total, known = Total(), HISTOGRAMS[counted]
    values = np.array([*known.bounds[:3], known.bounds[0], 2 * known.bounds[-1]])
    total.common[PLACES[counted]] = known.of(values)
    phase = {("phase", counted)} if name == "rvae_phase_seconds" else set()
    found = page(total)
    buckets = {
        dict(labels)["le"]: value
        for (sample, labels), value in found.items()
        if sample == f"{name}_bucket" and phase <= labels
    }
    assert [*map(float, buckets)] == [*known.bounds, np.inf]
    assert list(buckets.values()) == [2, 3, *[4] * (len(known.bounds) - 2), 5]
    assert found[f"{name}_count", frozenset(phase)] == 5
    assert found[f"{name}_sum", frozenset(phase)] == pytest.approx(values.sum())


def test_drift_is_told_by_channel() -> None:
    total = Total(bins={"heat": ((0.5, 0.5), np.array([1500.0, 500.0]))})
    expected = 0.25 * np.log(3)
    label = frozenset({("channel", "heat")})
    assert page(total)["rvae_drift_index", label] == pytest.approx(expected)
    assert ("rvae_drift_index", label) not in page(total, recent=3.0)


def test_a_version_has_so_many_series_and_a_channel_two() -> None:
    """What a Prometheus has to keep: see docs/metrics.md."""
    total = Total(missing={"heat": 0.0}, bins={"heat": ((0.5, 0.5), np.array([1500.0, 500.0]))})
    assert len(page(Total())) == 101
    assert len(page(total)) == 103
