from collections.abc import Iterable

import numpy as np
import pytest

from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.evaluation.report import QUANTILES, evaluate
from rvae.inference.engine import Engine
from tests.support.waves import waves


def labelled(
    engine: Engine, fresh: Iterable[np.ndarray], anomalous: Iterable[np.ndarray]
) -> list[Series]:
    """Normal series, anomalous ones with one labelled step, and one without any value."""
    steps = engine.card.window
    odd = np.arange(steps) == 5
    nothing = np.full((steps, 1), np.nan)
    return [
        *(Series(values, f"normal {i}") for i, values in enumerate(fresh)),
        *(Series(values, f"odd {i}", odd) for i, values in enumerate(anomalous)),
        Series(nothing, "nothing", odd),
    ]


def test_scores_are_compared_with_labels(
    engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    found = evaluate(engine, labelled(engine, fresh, anomalous))
    assert (found.windows, found.unobserved, found.anomalous) == (120, 1, 60)
    normal = np.concatenate([one.score for one in engine.analyse(fresh)])
    odd = np.concatenate([one.score for one in engine.analyse(anomalous)])
    threshold = engine.card.calibration.threshold()
    assert found.threshold == threshold
    assert found.flagged == (np.r_[normal, odd] > threshold).mean()
    assert found.detection.false_alarm_rate == (normal > threshold).mean()
    assert found.detection.recall == (odd > threshold).mean()
    assert found.detection.auroc == pytest.approx((odd[:, None] > normal).mean())
    quantiles = np.quantile(np.r_[normal, odd], QUANTILES)
    np.testing.assert_allclose(found.score_quantiles, quantiles, rtol=1e-4, atol=1e-5)


def test_normal_windows_alone_are_explained(
    engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    both = evaluate(engine, labelled(engine, fresh, anomalous))
    alone = evaluate(engine, [Series(values) for values in fresh])
    assert alone.detection is None and alone.anomalous == 0
    assert both.explained_variance == pytest.approx(alone.explained_variance, rel=1e-5)
    windows = np.stack(fresh)
    means = np.stack([one.reconstruction for one in engine.analyse(fresh)])
    left = ((windows - means) ** 2).sum() / ((windows - windows.mean(axis=0)) ** 2).sum()
    assert alone.explained_variance == pytest.approx(1 - left, rel=1e-4)


def test_where_all_is_anomalous_nothing_is_explained(
    engine: Engine, anomalous: list[np.ndarray]
) -> None:
    everything = np.ones(32, dtype=bool)
    found = evaluate(engine, [Series(values, "odd", everything) for values in anomalous])
    assert found.explained_variance is None and found.detection is None


def test_windows_are_cut_at_the_stride(engine: Engine) -> None:
    series = [Series(np.concatenate(waves(4, seed=3)))]
    assert evaluate(engine, series).windows == 97
    assert evaluate(engine, series, 32).windows == 4


def test_no_value_at_all_is_refused(engine: Engine) -> None:
    with pytest.raises(FieldError, match="no window with a value") as caught:
        evaluate(engine, [Series(np.full((40, 1), np.nan))])
    assert caught.value.field == "data"
