"""A rate of alarms is kept by a model that was trained for it."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import rvae
from rvae.config import TrainingConfig
from rvae.data.series import Series
from rvae.scoring.blocks import Stretch
from rvae.training.calibration import calibrated

WINDOW = 16


def machine(steps: int, seed: int) -> pd.DataFrame:
    """A wave whose noise depends on itself for some steps: normal data without an end."""
    random = np.random.default_rng(seed)
    noise = pd.Series(random.normal(size=steps)).ewm(alpha=0.3).mean().to_numpy()
    return pd.DataFrame({"heat": np.sin(np.arange(steps) / 5) + 0.3 * noise})


def clusters(flagged: NDArray[np.int64], reach: int) -> int:
    """Events: flagged windows by their first steps, of which neighbours are within reach."""
    return int((np.diff(flagged) > reach).sum()) + min(1, len(flagged))


@pytest.fixture(scope="module")
def model() -> rvae.Model:
    return rvae.fit(
        machine(12_000, 0),
        window=WINDOW,
        data={"calibration": 0.5},
        model={"architecture": "dense", "dense": {"layers": []}, "latent": 3},
        training={"epochs": 1, "accelerator": "cpu", "alarms": "1 per 2000 steps"},
    )


def test_the_threshold_is_that_of_the_rate(model: rvae.Model) -> None:
    calibration = model.card.calibration
    assert not calibration.lowered
    promised = calibration.events_per_step(calibration.threshold())
    assert 1 / 4000 < promised <= 1 / 2000
    assert calibration.threshold() == calibration.threshold_of_events(1 / 2000)
    assert model.card.quantile_of(None, "1 per 2000 steps") == calibration.quantile


def test_events_in_fresh_data_are_as_rare_on_average_over_calibrations(model: rvae.Model) -> None:
    """The model stays, and is calibrated again and again with other data."""
    card, steps = model.card, 3000
    fresh = machine(80 * steps, 1).to_numpy()
    series = [Series(one, str(i)) for i, one in enumerate(np.split(fresh, 80))]
    analyses = model.engine.analyse(series, 2)
    training = TrainingConfig(alarms="1 per 500 steps")
    rates = []
    for held, new in zip(analyses[::2], analyses[1::2], strict=True):
        stretch = [Stretch(held.score, held.starts)]
        calibration = calibrated(stretch, [], card, training)
        flagged = new.starts[new.score > calibration.threshold()]
        rates.append(clusters(flagged, WINDOW + 2) * 500 / steps)
    error = np.std(rates) / np.sqrt(len(rates))
    assert 0.3 < np.mean(rates) < 1 + 3 * error


def test_events_that_are_served_are_those_of_the_rate(model: rvae.Model) -> None:
    fresh = machine(20_000, 2)
    counts = []
    for alarms, steps in ((None, 2000), ("1 per 2000 steps", 2000), ("1 per 200 steps", 200)):
        windows = model.score(fresh, by="window", stride=2, alarms=alarms)
        flagged = windows["start"][windows["is_anomaly"]].to_numpy()
        # One calibration may be worse than promised, the more the rarer the events.
        assert 0 < clusters(flagged, WINDOW + 2) < 2 * 20_000 / steps
        assert len(model.events(fresh, stride=2, alarms=alarms)) == clusters(flagged, WINDOW + 2)
        counts.append(len(flagged))
    assert counts[0] == counts[1] < counts[2]
