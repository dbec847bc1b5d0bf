"""Probes: changed windows, and what a model makes of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import DenseConfig, ModelConfig
from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.evaluation import probes
from rvae.evaluation.probes import PROBES, ProbeResult, ProbesReport, SizeResult, run_probes
from rvae.inference.engine import Engine
from tests.support.untrained import MODE, untrained_card, untrained_engine

CHANGES = {probe.name: probe.change for probe in PROBES}


def windows(channels: int = 2) -> NDArray[np.float64]:
    """Windows (40, 32, C) with gaps, of which one holds nothing in its first channel."""
    random = np.random.default_rng(0)
    values = random.normal(5, [1.0, 10.0][:channels], (40, 32, channels))
    values[random.random(values.shape) < 0.2] = np.nan
    values[3, :, 0] = np.nan
    return values


def changed(name: str, size: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return CHANGES[name](values, size, np.random.default_rng(1))


@pytest.mark.parametrize("name", CHANGES)
def test_missing_values_stay_missing_and_draws_follow_the_seed(name: str) -> None:
    values = windows()
    before = values.copy()
    size = 1 if name != "time shift" else 4
    found = changed(name, size, values)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    np.testing.assert_array_equal(found, changed(name, size, values))
    np.testing.assert_array_equal(values, before)


def test_an_outlier_is_one_value_of_each_channel_in_its_spread() -> None:
    values = windows()
    moved = changed("outlier", 4, values) - values
    counts = (np.abs(np.nan_to_num(moved)) > 0).sum(axis=1)  # (S, C)
    assert counts[3].tolist() == [0, 1]  # nothing is observed in the first channel
    assert (np.delete(counts, 3, axis=0) == 1).all()
    for channel in range(2):
        sizes = moved[..., channel][np.abs(np.nan_to_num(moved[..., channel])) > 0]
        spread = np.nanstd(values[..., channel])
        np.testing.assert_allclose(np.abs(sizes), 4 * spread)
        assert 5 < (sizes > 0).sum() < 35
    assert len(set(np.nanargmax(np.abs(moved[:3]), axis=1).ravel().tolist())) > 2


def test_a_level_shift_moves_a_window_as_a_whole() -> None:
    values = windows()
    moved = changed("level shift", 0.5, values) - values
    for channel in range(2):
        for window in np.delete(moved[..., channel], 3, axis=0):
            steps = window[~np.isnan(window)]
            np.testing.assert_allclose(steps, steps[0])
            assert abs(steps[0]) == pytest.approx(0.5 * np.nanstd(values[..., channel]))
    up = moved[4:, :, 1].max(axis=1, where=~np.isnan(moved[4:, :, 1]), initial=-np.inf) > 0
    assert 5 < up.sum() < 31


def test_a_time_shift_rolls_what_is_observed() -> None:
    values = windows()
    found = changed("time shift", 5, values)
    for before, after in zip(values.swapaxes(1, 2), found.swapaxes(1, 2), strict=True):
        for one, other in zip(before, after, strict=True):
            seen = ~np.isnan(one)
            np.testing.assert_array_equal(other[seen], np.roll(one[seen], 5))


def test_a_new_pattern_has_the_mean_and_spread_of_each_window() -> None:
    values = np.random.default_rng(0).normal(5, [1.0, 10.0], (40, 32, 2))
    whole = changed("new pattern", 1, values)
    np.testing.assert_allclose(whole.mean(axis=1), values.mean(axis=1))
    np.testing.assert_allclose(whole.std(axis=1), values.std(axis=1))
    # Of a window of 32 steps, a sum of sines of at most four whole cycles.
    assert (np.abs(np.fft.rfft(whole, axis=1))[:, 5:] < 1e-6 * 32 * 10).all()
    half = changed("new pattern", 0.6, values)
    mean = values.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(half - mean, 0.8 * (values - mean) + 0.6 * (whole - mean))


def results(report: ProbesReport) -> dict[str, ProbeResult]:
    return {one.probe.name: one for one in report.results}


def test_what_the_model_never_saw_is_found_and_the_larger_the_surer(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    report = run_probes(engine, [Series(one, str(i)) for i, one in enumerate(fresh)])
    assert report.windows == 60
    found = results(report)
    assert set(found) == set(CHANGES)
    for name in ("new pattern", "outlier", "level shift"):
        smallest, largest = found[name].sizes[0], found[name].sizes[-1]
        assert largest.flagged == 1 and largest.auroc == 1, name
        assert smallest.flagged < 0.5 and smallest.auroc < 1, name
        assert largest.tail_probability < smallest.tail_probability, name
        assert found[name].sizes[0].size < found[name].detection_limit < 1, name
    # A wave that begins elsewhere is as normal as any other.
    for one in found["time shift"].sizes:
        assert 0.4 < one.auroc < 0.6
    assert [one.size for one in found["time shift"].sizes] == [1, 2, 4, 8, 16]
    assert found["time shift"].detection_limit is None


def test_figures_are_those_of_the_changed_windows(engine: Engine, fresh: list[np.ndarray]) -> None:
    report = run_probes(engine, [Series(one) for one in fresh], seed=5)
    size = 0.125
    one = next(one for one in results(report)["level shift"].sizes if one.size == size)
    moved = CHANGES["level shift"](np.stack(fresh), size, np.random.default_rng(5))
    scores, unchanged = (
        np.concatenate([analysis.score for analysis in engine.analyse(list(some))])
        for some in (moved, fresh)
    )
    threshold = engine.card.calibration.threshold()
    assert one.flagged == (scores > threshold).mean()
    assert report.flagged == (unchanged > threshold).mean()
    assert one.auroc == pytest.approx((scores[:, None] > unchanged).mean())
    tails = engine.card.calibration.tail_probability(scores)
    assert one.tail_probability == np.median(tails)


def test_only_normal_windows_with_a_value_are_changed_and_not_too_many(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "PROBES", PROBES[1:2])
    flags = np.arange(32) == 5
    nothing = Series(np.full((32, 1), np.nan))
    normal = [Series(one) for one in fresh[:10]]
    odd = [Series(one + 50, labels=flags) for one in fresh[:10]]
    alone = run_probes(engine, normal)
    assert alone.windows == 10
    assert run_probes(engine, [*odd, *normal, nothing]) == alone
    monkeypatch.setattr(probes, "MAX_WINDOWS", 7)
    assert run_probes(engine, normal).windows == 7
    with pytest.raises(FieldError) as caught:
        run_probes(engine, odd)
    assert caught.value.field == "data"


def test_categories_stay_and_windows_that_are_too_short_get_no_pattern() -> None:
    card = untrained_card(channels=("heat", "mode"), categories=MODE, window=4)
    random = np.random.default_rng(0)
    values = np.stack([random.normal(20, 2, 40), random.integers(1, 4, 40)], axis=1)
    report = run_probes(untrained_engine(card), [Series(values)])
    assert set(results(report)) == {"outlier", "time shift", "level shift"}
    only = untrained_card(channels=("mode",), categories=MODE)
    with pytest.raises(FieldError, match="numeric"):
        run_probes(untrained_engine(only), [Series(values[:, 1:])])


def test_values_stay_in_the_range_that_the_model_takes() -> None:
    model = ModelConfig("dense", dense=DenseConfig(()), likelihood="bernoulli")
    engine = untrained_engine(untrained_card(model, ("one", "two")))
    report = run_probes(engine, [Series(np.random.default_rng(0).random((30, 2)))])
    assert report.windows == 23


def limit(*flagged: float) -> float | None:
    sizes = tuple(SizeResult(2.0**i, 0.5, share, 0.5) for i, share in enumerate(flagged))
    return ProbeResult(PROBES[0], sizes).detection_limit


def test_the_detection_limit_is_where_half_are_flagged() -> None:
    assert limit(0, 0.2, 0.5, 1) == 4
    assert limit(0, 0.25, 0.75, 1) == pytest.approx(2 * np.sqrt(2))
    assert limit(0.6, 0.9) == 1
    assert limit(0, 0.4) is None
    assert limit(0.1, 0.6, 0.3, 0.9) == pytest.approx(2**0.8)


def test_windows_are_cut_at_the_stride_in_any_stretches(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "PROBES", PROBES[1:2])
    series = [Series(np.concatenate(fresh[:10]))]
    whole = run_probes(engine, series, 16)
    assert whole.windows == 19
    monkeypatch.setattr("rvae.inference.engine.NUMBERS_PER_CHUNK", 32 * 4)
    assert run_probes(engine, series, 16) == whole
